package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hourglass/tools/peers/api"
	"hourglass/tools/peers/objects"
)

const inFlight = 100

// What --service takes.
const (
	clusterIP = "cluster-ip"
	headless  = "headless"
	none      = "none"
)

type loop struct {
	kube    client.WithWatch
	service string
	// Places of the calls under way.
	places chan struct{}
	mutex  sync.Mutex
	// Those not ready yet, by the uid of the Performer.
	waiting map[types.UID]chan *corev1.Pod
}

func newLoop(kube client.WithWatch, service string) *loop {
	return &loop{kube: kube, service: service, places: make(chan struct{}, inFlight), waiting: map[types.UID]chan *corev1.Pod{}}
}

func (l *loop) run(ctx context.Context, onWatching func()) error {
	pods, err := l.watchPods(ctx)
	if err != nil {
		return err
	}
	performers, err := l.watchPerformers(ctx)
	if err != nil {
		return err
	}
	onWatching()
	seen := map[types.UID]bool{}
	for {
		select {
		case event, open := <-performers.ResultChan():
			if !open {
				if performers, err = l.watchPerformers(ctx); err != nil {
					return err
				}
				continue
			}
			performer, is := event.Object.(*api.Performer)
			if is && event.Type == watch.Added && !performer.Status.Ready && !seen[performer.UID] {
				seen[performer.UID] = true
				ready := make(chan *corev1.Pod, 1)
				l.mutex.Lock()
				l.waiting[performer.UID] = ready
				l.mutex.Unlock()
				go l.make(ctx, performer, ready)
			}
		case event, open := <-pods.ResultChan():
			if !open {
				if pods, err = l.watchPods(ctx); err != nil {
					return err
				}
				continue
			}
			if pod, is := event.Object.(*corev1.Pod); is && event.Type != watch.Deleted && objects.IsReady(pod) {
				l.tell(pod)
			}
		}
	}
}

// Without a version a watch begins with what there is, so that one that ends under load loses nothing.
func (l *loop) watchPods(ctx context.Context) (watch.Interface, error) {
	pods, err := l.kube.Watch(ctx, &corev1.PodList{}, client.MatchingLabels{objects.AppLabel: objects.AppValue})
	if err != nil {
		return nil, fmt.Errorf("watching pods: %w", err)
	}
	return pods, nil
}

func (l *loop) watchPerformers(ctx context.Context) (watch.Interface, error) {
	performers, err := l.kube.Watch(ctx, &api.PerformerList{})
	if err != nil {
		return nil, fmt.Errorf("watching Performers: %w", err)
	}
	return performers, nil
}

// Its maker hears of a ready pod once.
func (l *loop) tell(pod *corev1.Pod) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, owner := range pod.OwnerReferences {
		if ready, found := l.waiting[owner.UID]; found {
			delete(l.waiting, owner.UID)
			ready <- pod
		}
	}
}

func (l *loop) make(ctx context.Context, performer *api.Performer, ready <-chan *corev1.Pod) {
	service := make(chan error, 1)
	go func() { service <- l.makeService(ctx, performer) }()
	err := l.call(func() error { return l.kube.Create(ctx, objects.Pod(performer)) })
	if err := errors.Join(err, <-service); err != nil {
		l.report(ctx, "creating", performer, err)
		return
	}
	select {
	case pod := <-ready:
		patch, err := json.Marshal(map[string]any{"status": objects.Status(performer, pod)})
		if err == nil {
			err = l.call(func() error {
				return l.kube.Status().Patch(ctx, performer, client.RawPatch(types.MergePatchType, patch))
			})
		}
		l.report(ctx, "writing the status of", performer, err)
	case <-ctx.Done():
	}
}

func (l *loop) makeService(ctx context.Context, performer *api.Performer) error {
	if l.service == none {
		return nil
	}
	service := objects.Service(performer)
	if l.service == headless {
		service.Spec.ClusterIP = corev1.ClusterIPNone
	}
	return l.call(func() error { return l.kube.Create(ctx, service) })
}

func (l *loop) call(one func() error) error {
	l.places <- struct{}{}
	defer func() { <-l.places }()
	return one()
}

func (l *loop) report(ctx context.Context, what string, performer *api.Performer, err error) {
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "%s %s/%s: %v\n", what, performer.Namespace, performer.Name, err)
	}
}
