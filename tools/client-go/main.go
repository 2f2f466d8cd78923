// Command client-go measures the client of Go operators as src/bench/client measures clients in Node:
// one task per process, its figures as one line of JSON on standard output.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

type result struct {
	Calls     int       `json:"calls,omitempty"`
	CPUMs     float64   `json:"cpuMs"`
	WallMs    float64   `json:"wallMs"`
	LatencyMs []float64 `json:"latencyMs,omitempty"`
	Objects   int       `json:"objects,omitempty"`
	HeapBytes int64     `json:"heapBytes,omitempty"`
	RSSBytes  int64     `json:"rssBytes,omitempty"`
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "which cluster")
	server := flag.String("server", "", "address to use in place of the kubeconfig's")
	task := flag.String("task", "get", "get or cache")
	namespace := flag.String("namespace", "default", "of the objects")
	name := flag.String("name", "", "of the pod to get")
	warmup := flag.Int("warmup", 100, "calls that are not counted")
	calls := flag.Int("calls", 1000, "calls that are counted, at most")
	forMs := flag.Int("for-ms", 10_000, "no call begins after so long")
	inFlight := flag.Int("in-flight", 1, "calls at the same time")
	limit := flag.Bool("limit", true, "client-go's own rate limit, 5 per second")
	flag.Parse()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	check(err)
	if *server != "" {
		config.Host = *server
	}
	if !*limit {
		config.QPS = -1
	}
	client, err := kubernetes.NewForConfig(config)
	check(err)

	var measured result
	switch *task {
	case "get":
		get := func(count, milliseconds int) result {
			return runCalls(client, *namespace, *name, count, *inFlight, time.Duration(milliseconds)*time.Millisecond)
		}
		if *warmup > 0 {
			get(*warmup, *forMs)
		}
		measured = get(*calls, *forMs)
	case "cache":
		measured = fillCache(client, *namespace)
	default:
		check(fmt.Errorf("no such task: %s", *task))
	}
	check(json.NewEncoder(os.Stdout).Encode(measured))
}

func runCalls(client kubernetes.Interface, namespace, name string, count, inFlight int, limit time.Duration) result {
	latencies := make([]float64, count)
	var next, done atomic.Int64
	cpu, started := cpuMs(), time.Now()
	var workers sync.WaitGroup
	for range inFlight {
		workers.Go(func() {
			for {
				index := int(next.Add(1)) - 1
				if index >= count || time.Since(started) > limit {
					return
				}
				begun := time.Now()
				_, err := client.CoreV1().Pods(namespace).Get(context.Background(), name, metav1.GetOptions{})
				check(err)
				latencies[done.Add(1)-1] = ms(time.Since(begun))
			}
		})
	}
	workers.Wait()
	made := int(done.Load())
	return result{Calls: made, CPUMs: cpuMs() - cpu, WallMs: ms(time.Since(started)), LatencyMs: latencies[:made]}
}

func fillCache(client kubernetes.Interface, namespace string) result {
	// What a first connection costs is no part of the cache.
	_, err := client.CoreV1().Namespaces().Get(context.Background(), namespace, metav1.GetOptions{})
	check(err)
	heap, rss := memory()
	cpu, started := cpuMs(), time.Now()
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	pods := factory.Core().V1().Pods().Informer()
	stop := make(chan struct{})
	factory.Start(stop)
	if !cache.WaitForCacheSync(stop, pods.HasSynced) {
		check(fmt.Errorf("the informer did not sync"))
	}
	measured := result{CPUMs: cpuMs() - cpu, WallMs: ms(time.Since(started)), Objects: len(pods.GetStore().ListKeys())}
	heapAfter, rssAfter := memory()
	measured.HeapBytes, measured.RSSBytes = heapAfter-heap, rssAfter-rss
	for _, object := range pods.GetStore().List() {
		if _, ok := object.(*corev1.Pod); !ok {
			check(fmt.Errorf("the store holds no pods"))
		}
	}
	close(stop)
	return measured
}

// memory is what is in use after a collection: heap, and resident bytes (Linux; 0 elsewhere).
func memory() (heap, rss int64) {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	text, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		var size, resident int64
		if _, err = fmt.Fscan(strings.NewReader(string(text)), &size, &resident); err == nil {
			rss = resident * int64(os.Getpagesize())
		}
	}
	return int64(stats.HeapAlloc), rss
}

func cpuMs() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}

func ms(duration time.Duration) float64 { return float64(duration.Nanoseconds()) / 1e6 }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "client-go:", err)
		os.Exit(1)
	}
}
