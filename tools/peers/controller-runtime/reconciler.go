package main

import (
	"context"
	"fmt"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"hourglass/tools/peers/api"
	"hourglass/tools/peers/objects"
)

// How soon a pass that met a newer object than its cache had is made again.
const staleAfter = 20 * time.Millisecond

type reconciler struct {
	client.Client
	// Whether a status that is as stored is left alone.
	onlyChanges bool
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	performer := &api.Performer{}
	if err := r.Get(ctx, request.NamespacedName, performer); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !performer.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	err := r.converge(ctx, performer)
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return ctrl.Result{RequeueAfter: staleAfter}, nil
	}
	return ctrl.Result{}, err
}

func (r *reconciler) converge(ctx context.Context, performer *api.Performer) error {
	pod, err := r.reconcilePod(ctx, performer)
	if err != nil {
		return fmt.Errorf("reconciling the pod: %w", err)
	}
	if err := r.reconcileService(ctx, performer); err != nil {
		return fmt.Errorf("reconciling the service: %w", err)
	}
	if err := r.updateStatus(ctx, performer, pod); err != nil {
		// Whose Performer went meanwhile has nothing to write to.
		return client.IgnoreNotFound(err)
	}
	return nil
}

// The pod as it is now, or nil while there is none.
func (r *reconciler) reconcilePod(ctx context.Context, performer *api.Performer) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	key := client.ObjectKey{Namespace: performer.Namespace, Name: objects.Name(performer)}
	if err := r.Get(ctx, key, pod); apierrors.IsNotFound(err) {
		built := objects.Pod(performer)
		return built, r.Create(ctx, built)
	} else if err != nil {
		return nil, err
	}
	if pod.DeletionTimestamp != nil {
		return nil, nil
	}
	if pod.Spec.Containers[0].Image != performer.Spec.Image {
		return nil, client.IgnoreNotFound(r.Delete(ctx, pod, client.Preconditions{UID: &pod.UID}))
	}
	return pod, nil
}

func (r *reconciler) reconcileService(ctx context.Context, performer *api.Performer) error {
	service := objects.Service(performer)
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, service, func() error {
		objects.ApplyService(performer, service)
		return nil
	})
	return err
}

func (r *reconciler) updateStatus(ctx context.Context, performer *api.Performer, pod *corev1.Pod) error {
	status := objects.Status(performer, pod)
	if r.onlyChanges && reflect.DeepEqual(status, performer.Status) {
		return nil
	}
	performer.Status = status
	return r.Status().Update(ctx, performer)
}
