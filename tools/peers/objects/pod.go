// Package objects builds what a Performer consists of, equal in every field that costs something to what Hourglass operator builds: a
// comparison is about who writes, how often and when, not about what is written. A test holds them equal.
package objects

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hourglass/tools/peers/api"
)

const (
	// AppLabel with AppValue is on every pod of a Performer.
	AppLabel = "app"
	AppValue = "hourglass-performer"

	performerLabel = "hourglass.eigenlayer.io/performer"
	avsLabel       = "hourglass.eigenlayer.io/avs"
	revisionLabel  = "hourglass.eigenlayer.io/revision"
	indexLabel     = "hourglass.eigenlayer.io/index"
	instanceLabel  = "app.kubernetes.io/instance"
	versionLabel   = "app.kubernetes.io/version"

	portName = "grpc"
)

// Name of the Pod and of the Service of a Performer.
func Name(performer *api.Performer) string { return "performer-" + performer.Name }

// Owner has the garbage collector remove an object once its Performer is gone, and holds nothing back.
func Owner(performer *api.Performer) metav1.OwnerReference {
	yes, no := true, false
	return metav1.OwnerReference{
		APIVersion:         api.GroupVersion.String(),
		Kind:               "Performer",
		Name:               performer.Name,
		UID:                performer.UID,
		Controller:         &yes,
		BlockOwnerDeletion: &no,
	}
}

// Pod as it is created.
func Pod(performer *api.Performer) *corev1.Pod {
	spec := &performer.Spec
	config := configOf(spec)
	labels := map[string]string{
		AppLabel:       AppValue,
		performerLabel: performer.Name,
		avsLabel:       strings.ReplaceAll(strings.ToLower(spec.AvsAddress), "_", "-"),
		instanceLabel:  performer.Name,
		revisionLabel:  revision(spec),
		indexLabel:     "0",
	}
	if spec.Version != "" {
		labels[versionLabel] = spec.Version
	}
	no, hasAccount, graceSeconds := false, config.ServiceAccountName != "", int64(30)
	if spec.TerminationGracePeriodSeconds != nil {
		graceSeconds = *spec.TerminationGracePeriodSeconds
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:            Name(performer),
			Namespace:       performer.Namespace,
			Labels:          labels,
			OwnerReferences: []metav1.OwnerReference{Owner(performer)},
		},
		Spec: corev1.PodSpec{
			Containers:                    []corev1.Container{container(spec, config)},
			RestartPolicy:                 corev1.RestartPolicyAlways,
			TerminationGracePeriodSeconds: &graceSeconds,
			EnableServiceLinks:            &no,
			AutomountServiceAccountToken:  &hasAccount,
			ServiceAccountName:            config.ServiceAccountName,
			ImagePullSecrets:              spec.ImagePullSecrets,
		},
	}
}

func container(spec *api.PerformerSpec, config *api.PerformerConfig) corev1.Container {
	port := grpcPort(spec)
	built := corev1.Container{
		Name:            "performer",
		Image:           spec.Image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		Ports:           []corev1.ContainerPort{{Name: portName, ContainerPort: port, Protocol: corev1.ProtocolTCP}},
		Env:             env(config),
		Command:         config.Command,
		Args:            config.Args,
		StartupProbe:    probe(port, 1, 1, 300),
		ReadinessProbe:  probe(port, 1, 1, 3),
		LivenessProbe:   probe(port, 10, 5, 3),
	}
	if spec.ImagePullPolicy != "" {
		built.ImagePullPolicy = spec.ImagePullPolicy
	}
	if spec.Resources != nil {
		built.Resources = *spec.Resources
	}
	return built
}

func probe(port, periodSeconds, timeoutSeconds, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:     corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: port}},
		PeriodSeconds:    periodSeconds,
		TimeoutSeconds:   timeoutSeconds,
		FailureThreshold: failures,
	}
}

// In name order, so that equal Performers get equal pods.
func env(config *api.PerformerConfig) []corev1.EnvVar {
	var all []corev1.EnvVar
	for _, name := range slices.Sorted(maps.Keys(config.Environment)) {
		all = append(all, corev1.EnvVar{Name: name, Value: config.Environment[name]})
	}
	return append(all, config.Env...)
}

func configOf(spec *api.PerformerSpec) *api.PerformerConfig {
	if spec.Config == nil {
		return &api.PerformerConfig{}
	}
	return spec.Config
}

func grpcPort(spec *api.PerformerSpec) int32 {
	if spec.Config == nil {
		return 8080
	}
	if spec.Config.GrpcPort == 0 {
		return 9090
	}
	return spec.Config.GrpcPort
}

// A label of its own value, as long as the one Hourglass operator sets: no peer reads it.
func revision(spec *api.PerformerSpec) string {
	text, err := json.Marshal(spec)
	if err != nil {
		panic(err) // Plain values always have a JSON text.
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:16]
}
