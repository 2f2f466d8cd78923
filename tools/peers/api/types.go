// Package api has the part of the Performer that the peers read and write. Fields of rollouts, replicas, scheduling and hardware are
// left out: no peer acts on them.
package api

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var GroupVersion = schema.GroupVersion{Group: "hourglass.eigenlayer.io", Version: "v1alpha1"}

// AddToScheme makes the kinds known to clients.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &Performer{}, &PerformerList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

type Performer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              PerformerSpec   `json:"spec,omitempty"`
	Status            PerformerStatus `json:"status,omitempty"`
}

type PerformerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Performer `json:"items"`
}

type PerformerSpec struct {
	AvsAddress                    string                        `json:"avsAddress,omitempty"`
	Image                         string                        `json:"image,omitempty"`
	ImagePullPolicy               corev1.PullPolicy             `json:"imagePullPolicy,omitempty"`
	Version                       string                        `json:"version,omitempty"`
	Config                        *PerformerConfig              `json:"config,omitempty"`
	Resources                     *corev1.ResourceRequirements  `json:"resources,omitempty"`
	ImagePullSecrets              []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	TerminationGracePeriodSeconds *int64                        `json:"terminationGracePeriodSeconds,omitempty"`
}

type PerformerConfig struct {
	GrpcPort           int32             `json:"grpcPort,omitempty"`
	Environment        map[string]string `json:"environment,omitempty"`
	Env                []corev1.EnvVar   `json:"env,omitempty"`
	Command            []string          `json:"command,omitempty"`
	Args               []string          `json:"args,omitempty"`
	ServiceAccountName string            `json:"serviceAccountName,omitempty"`
}

// PerformerStatus always carries observedGeneration: the CRD gives a status without one the value of "not seen yet".
type PerformerStatus struct {
	ObservedGeneration int64              `json:"observedGeneration"`
	Phase              string             `json:"phase,omitempty"`
	Ready              bool               `json:"ready"`
	PodName            string             `json:"podName,omitempty"`
	PodIP              string             `json:"podIP,omitempty"`
	ServiceName        string             `json:"serviceName,omitempty"`
	GrpcEndpoint       string             `json:"grpcEndpoint,omitempty"`
	ReadyTime          *metav1.Time       `json:"readyTime,omitempty"`
	Replicas           int32              `json:"replicas"`
	ReadyReplicas      int32              `json:"readyReplicas"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}
