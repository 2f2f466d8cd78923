// Command control-plane is every Kubernetes component the testbed runs, in one binary: the first argument names the component.
// One binary links the shared code once, so it builds once and stays small on disk and in the page cache.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

var components = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kube-proxy":              proxy.NewProxyCommand,
}

// machinery is what real nodes are made of, apart from Kubernetes.
var machinery = map[string]func([]string) error{"exec": run, "network": runNetwork, "node": runNode, "node-init": runNodeInit}

var errNoProgram = errors.New("which program?")

// parentVariable names the process that this one must not outlive.
const parentVariable = "HOURGLASS_DIE_WITH_PARENT"

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	name := os.Args[1]
	parent, watched := os.LookupEnv(parentVariable)
	parentPid, err := strconv.Atoi(parent)
	if watched && err != nil {
		fmt.Fprintf(os.Stderr, "control-plane: %s=%q is no process id\n", parentVariable, parent)
		os.Exit(2)
	}
	if watched {
		dieWithParent(parentPid)
		os.Unsetenv(parentVariable) // not for its own children
	}
	// Each component reads os.Args itself and must see its own name first.
	os.Args = os.Args[1:]
	switch {
	case machinery[name] != nil:
		if err := machinery[name](os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "control-plane %s: %v\n", name, err)
			os.Exit(1)
		}
	case name == "etcd":
		etcdmain.Main(os.Args)
	case name == "kubectl":
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			kubectlutil.CheckErr(err)
		}
	case components[name] != nil:
		os.Exit(cli.Run(components[name]()))
	default:
		usage()
	}
}

func usage() {
	names := []string{"etcd", "kubectl"}
	for name := range components {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "usage: control-plane COMPONENT [flags] | control-plane exec PROGRAM [arguments] | control-plane network LISTEN TARGET ADDRESS/LENGTH | control-plane node SPEC.json\ncomponents: %s\n", strings.Join(names, " "))
	os.Exit(2)
}
