package objects

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"hourglass/tools/peers/api"
)

// Service as it is created.
func Service(performer *api.Performer) *corev1.Service {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: Name(performer), Namespace: performer.Namespace}}
	ApplyService(performer, service)
	return service
}

// ApplyService puts a Service's own part right and leaves the rest of it as it is: what the API server filled in is no difference.
func ApplyService(performer *api.Performer, service *corev1.Service) {
	if service.Labels == nil {
		service.Labels = map[string]string{}
	}
	service.Labels[AppLabel] = AppValue
	service.Labels[instanceLabel] = performer.Name
	service.OwnerReferences = []metav1.OwnerReference{Owner(performer)}
	service.Spec.Type = corev1.ServiceTypeClusterIP
	service.Spec.Selector = map[string]string{performerLabel: performer.Name}
	service.Spec.Ports = []corev1.ServicePort{{
		Name:       portName,
		Port:       grpcPort(&performer.Spec),
		Protocol:   corev1.ProtocolTCP,
		TargetPort: intstr.FromString(portName),
	}}
}
