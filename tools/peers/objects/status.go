package objects

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hourglass/tools/peers/api"
)

// IsReady says whether the kubelet calls a pod ready and nobody has asked for its end.
func IsReady(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodRunning {
		return false
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// Status of a Performer with that pod, or with none; what stays as it was keeps its times.
func Status(performer *api.Performer, pod *corev1.Pod) api.PerformerStatus {
	ready := pod != nil && IsReady(pod)
	status := api.PerformerStatus{
		ObservedGeneration: performer.Generation,
		Phase:              "Pending",
		Ready:              ready,
		PodName:            Name(performer),
		ServiceName:        Name(performer),
		GrpcEndpoint:       fmt.Sprintf("%s.%s.svc.cluster.local", Name(performer), performer.Namespace),
		ReadyTime:          performer.Status.ReadyTime,
		Conditions:         append([]metav1.Condition(nil), performer.Status.Conditions...),
	}
	if pod != nil {
		status.Phase, status.PodIP, status.Replicas = phase(pod), pod.Status.PodIP, 1
	}
	condition := metav1.Condition{
		Type: "Ready", Status: metav1.ConditionFalse, Reason: "PodNotReady", Message: "the pod is not ready yet",
		ObservedGeneration: performer.Generation,
	}
	if ready {
		condition.Status, condition.Reason, condition.Message = metav1.ConditionTrue, "PodReady", "the pod is ready"
		status.ReadyReplicas = 1
		if status.ReadyTime == nil {
			now := metav1.Now()
			status.ReadyTime = &now
		}
	}
	meta.SetStatusCondition(&status.Conditions, condition)
	return status
}

// The CRD knows no other phases.
func phase(pod *corev1.Pod) string {
	switch pod.Status.Phase {
	case corev1.PodRunning:
		return "Running"
	case corev1.PodFailed:
		return "Failed"
	default:
		return "Pending"
	}
}
