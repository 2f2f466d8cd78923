// Peer floor: a bare loop that makes the three writes a new Performer needs and nothing else, to measure what the machine and its control
// plane allow. It is no operator; an operator that comes near it has little left to gain.
//
// What it does: watches Performers; creates each one's Pod and Service at the same time, the objects Hourglass operator makes; watches
// pods; patches status once, when the pod is ready and the Service made. Up to 100 creations are under way at once, as many as one HTTP/2
// connection carries, and no client-side limit slows it.
//
// What it does not: anything a second time. No repair, no retries, no updates, no check of what is there, no cache, no finalizer; a call
// that fails is told and left. A Performer that is deleted leaves the rest to the garbage collector. A watch that the
// API server ends under load is opened again; that is all it mends.
//
// With --service headless, or none, it shows what a ClusterIP costs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hourglass/tools/peers/api"
)

func main() {
	service := flag.String("service", clusterIP, "the Service of each Performer: cluster-ip, headless or none; the contract has the first")
	healthAddress := flag.String("health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	// The client library adds --kubeconfig, and reads KUBECONFIG.
	flag.Parse()
	if *service != clusterIP && *service != headless && *service != none {
		fmt.Fprintf(os.Stderr, "--service %s: give cluster-ip, headless or none\n", *service)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *healthAddress, *service); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, healthAddress, service string) error {
	ctrl.SetLogger(logr.Discard())
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), api.AddToScheme(scheme)); err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	config.UserAgent, config.QPS = "peer-floor", -1
	kube, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("setting up: %w", err)
	}
	ready := &atomic.Bool{}
	ended := make(chan error, 2)
	go func() { ended <- serveHealth(healthAddress, ready) }()
	go func() { ended <- newLoop(kube, service).run(ctx, func() { ready.Store(true) }) }()
	return <-ended
}

func serveHealth(address string, ready *atomic.Bool) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/readyz", func(response http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			response.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	return http.ListenAndServe(address, mux)
}
