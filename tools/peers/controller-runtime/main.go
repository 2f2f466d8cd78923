// Peer controller-runtime: an operator of Performers as one is ordinarily written with sigs.k8s.io/controller-runtime, to compare
// Hourglass operator with. It is written for that comparison and runs nothing in earnest.
//
// What it does: watches Performers and what they own; creates a Pod and a Service per Performer, the objects Hourglass operator makes;
// makes a missing one anew; puts a changed Service right; writes phase, ready and a condition into status, first when the pod is not
// ready yet, then when it is; leaves deletion to owner references and the garbage collector, without a finalizer. A changed image is
// carried out as ordinary operators of bare pods do: the pod is deleted, and made anew once it is gone.
//
// What it does not: replicas, rolling updates, drain, lost nodes, any change of a pod but its image, scheduling, hardware, other people's
// objects under its names, Events. Each of these would only cost it more.
//
// As it comes it runs with the defaults of its framework: one worker, no client-side limit (since v0.21; --client-qps 20 --client-burst 30
// is what went before), and a status update in every pass. --tuned has ten workers and updates status only when it changes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"hourglass/tools/peers/api"
)

type options struct {
	tuned, leaderElect                     bool
	healthAddress, metricsAddress, leaseNS string
	qps                                    float64
	burst                                  int
}

func main() {
	var given options
	flag.BoolVar(&given.tuned, "tuned", false, "ten workers, and a status update only when status changes")
	flag.BoolVar(&given.leaderElect, "leader-elect", false, "run under a Lease")
	flag.StringVar(&given.leaseNS, "leader-election-namespace", "default", "where the Lease is")
	flag.StringVar(&given.healthAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	flag.StringVar(&given.metricsAddress, "metrics-bind-address", "0", "address of /metrics; 0 is none")
	flag.Float64Var(&given.qps, "client-qps", 0, "client-side limit of calls a second; 0 is the framework's default, which is none")
	flag.IntVar(&given.burst, "client-burst", 0, "calls at once under that limit")
	// The framework adds --kubeconfig, and reads KUBECONFIG.
	flag.Parse()
	if err := run(given); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(given options) error {
	quiet := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})
	ctrl.SetLogger(logr.FromSlogHandler(quiet))
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, api.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	config.UserAgent = "peer-controller-runtime"
	if given.qps > 0 {
		config.QPS, config.Burst = float32(given.qps), given.burst
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		Metrics:                 metricsserver.Options{BindAddress: given.metricsAddress},
		HealthProbeBindAddress:  given.healthAddress,
		LeaderElection:          given.leaderElect,
		LeaderElectionID:        "peer-controller-runtime",
		LeaderElectionNamespace: given.leaseNS,
	})
	if err != nil {
		return fmt.Errorf("setting up: %w", err)
	}
	// Asked for here, since a cache that nobody has asked for anything yet calls itself synced.
	for _, kind := range []client.Object{&api.Performer{}, &corev1.Pod{}, &corev1.Service{}} {
		if _, err := manager.GetCache().GetInformer(context.Background(), kind, cache.BlockUntilSynced(false)); err != nil {
			return fmt.Errorf("setting up: %w", err)
		}
	}
	synced := func(*http.Request) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if !manager.GetCache().WaitForCacheSync(ctx) {
			return errors.New("the first lists are not all read yet")
		}
		return nil
	}
	if err := errors.Join(manager.AddHealthzCheck("ping", healthz.Ping), manager.AddReadyzCheck("synced", synced)); err != nil {
		return err
	}
	workers := 0 // The framework's default.
	if given.tuned {
		workers = 10
	}
	err = ctrl.NewControllerManagedBy(manager).
		For(&api.Performer{}).
		Owns(&corev1.Pod{}).
		Owns(&corev1.Service{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(&reconciler{Client: manager.GetClient(), onlyChanges: given.tuned})
	if err != nil {
		return fmt.Errorf("setting up: %w", err)
	}
	return manager.Start(ctrl.SetupSignalHandler())
}
