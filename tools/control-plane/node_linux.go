package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// nodeSpec is a machine that is made of namespaces.
type nodeSpec struct {
	Name string `json:"name"`
	// Network is the path of the namespace that has the bridge br0.
	Network string `json:"network"`
	// Address with the length of its prefix; Gateway is the bridge's.
	Address string   `json:"address"`
	Gateway string   `json:"gateway"`
	Routes  []string `json:"routes"`
	// Volatile folders lose what is in them with the node, as a machine's /run does.
	Volatile  []string  `json:"volatile"`
	Processes []process `json:"processes"`
}

type process struct {
	Name string   `json:"name"`
	Argv []string `json:"argv"`
	Log  string   `json:"log"`
	// Provides is the socket that the next process waits for.
	Provides string `json:"provides"`
	// Once: it does something and ends; the next process waits until it has ended well.
	Once bool `json:"once"`
}

// runNode is the power supply: it makes the namespaces and the cable, then waits. Whoever kills it powers the node off:
// the kernel kills its init, and with that every process of the node, and mounts and interfaces go with the last of them.
func runNode(arguments []string) error {
	spec, err := readSpec(arguments)
	if err != nil {
		return err
	}
	plugged, socket, err := os.Pipe()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	init := exec.Command(self, "node-init", arguments[0])
	init.Stdout, init.Stderr = os.Stdout, os.Stderr
	init.ExtraFiles = []*os.File{plugged}
	init.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		// Bound to the thread that starts it, which is locked.
		Pdeathsig: syscall.SIGKILL,
	}
	if err := init.Start(); err != nil {
		return fmt.Errorf("starting the node's init: %w", err)
	}
	defer init.Process.Kill()
	plugged.Close()
	// A cable that a node left behind goes with its namespace, which the kernel takes down a moment later.
	for _, command := range [][]string{
		{"link", "add", spec.Name, "type", "veth", "peer", "name", "eth0", "netns", fmt.Sprint(init.Process.Pid)},
		{"link", "set", spec.Name, "master", "br0", "up"},
	} {
		nsenter := exec.Command("nsenter", append([]string{"--net=" + spec.Network, "ip"}, command...)...)
		if said, err := nsenter.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w: %s", nsenter.Args, err, said)
		}
	}
	if _, err := socket.Write([]byte("plugged in")); err != nil {
		return err
	}
	return init.Wait()
}

// runNodeInit is process 1 of a node: it sets the node up, starts its processes, starts again what ends, and reaps what nobody waits for.
func runNodeInit(arguments []string) error {
	spec, err := readSpec(arguments)
	if err != nil {
		return err
	}
	plugged := os.NewFile(3, "plugged")
	if _, err := plugged.Read(make([]byte, 16)); err != nil {
		return fmt.Errorf("waiting for the network: %w", err)
	}
	plugged.Close()
	if err := setUpNode(spec); err != nil {
		return err
	}
	supervisor := &supervisor{running: map[int]*job{}}
	go func() {
		for _, one := range spec.Processes {
			job := &job{process: one, done: make(chan struct{})}
			supervisor.start(job)
			for one.Provides != "" && !accepts(one.Provides) {
				time.Sleep(20 * time.Millisecond)
			}
			if one.Once {
				<-job.done
			}
		}
	}()
	supervisor.reap()
	return nil
}

func setUpNode(spec nodeSpec) error {
	// Nothing that is mounted here reaches the machine; inside, mounts are shared as kubelets expect.
	mounts := []struct {
		source, target, kind string
		flags                uintptr
	}{
		{"", "/", "", syscall.MS_REC | syscall.MS_PRIVATE},
		{"", "/", "", syscall.MS_REC | syscall.MS_SHARED},
		{"proc", "/proc", "proc", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC},
	}
	for _, mount := range mounts {
		if err := syscall.Mount(mount.source, mount.target, mount.kind, mount.flags, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", mount.target, err)
		}
	}
	for _, folder := range spec.Volatile {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
		if err := syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=700"); err != nil {
			return fmt.Errorf("mounting %s: %w", folder, err)
		}
	}
	if err := syscall.Sethostname([]byte(spec.Name)); err != nil {
		return fmt.Errorf("setting the host name: %w", err)
	}
	commands := []string{
		"link set lo up",
		"address add " + spec.Address + " dev eth0",
		"link set eth0 up",
		"route add default via " + spec.Gateway,
	}
	for _, route := range spec.Routes {
		commands = append(commands, "route add "+route)
	}
	for _, command := range commands {
		if err := ip(command); err != nil {
			return err
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}

// job is a process through all its starts.
type job struct {
	process
	done chan struct{}
}

// supervisor starts what ends again after a moment, as a machine's service manager does.
type supervisor struct {
	mutex   sync.Mutex
	running map[int]*job
}

const restartPause = time.Second

func (s *supervisor) start(one *job) {
	// Held until the process is known, or it could be reaped as a stranger.
	s.mutex.Lock()
	defer s.mutex.Unlock()
	pid, err := spawn(one.process)
	if err != nil {
		fmt.Fprintf(os.Stderr, "control-plane: starting %s: %v\n", one.Name, err)
		s.startLater(one)
		return
	}
	s.running[pid] = one
}

func (s *supervisor) startLater(one *job) {
	time.AfterFunc(restartPause, func() { s.start(one) })
}

// reap never returns: process 1 must not end.
func (s *supervisor) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err != nil {
			time.Sleep(20 * time.Millisecond) // no child at the moment
			continue
		}
		s.mutex.Lock()
		one := s.running[pid]
		delete(s.running, pid)
		s.mutex.Unlock()
		switch {
		case one == nil: // it was left behind by its parent
		case one.Once && status.ExitStatus() == 0:
			close(one.done)
		default:
			fmt.Printf("%s ended (exit code %d, signal %d): starting it again\n", one.Name, status.ExitStatus(), status.Signal())
			s.startLater(one)
		}
	}
}

func spawn(one process) (int, error) {
	log, err := os.OpenFile(one.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	path, err := exec.LookPath(one.Argv[0])
	if err != nil {
		return 0, err
	}
	return syscall.ForkExec(path, one.Argv, &syscall.ProcAttr{
		Dir:   filepath.Dir(one.Log),
		Env:   os.Environ(),
		Files: []uintptr{null.Fd(), log.Fd(), log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

func accepts(socket string) bool {
	connection, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}

func readSpec(arguments []string) (nodeSpec, error) {
	var spec nodeSpec
	if len(arguments) != 1 {
		return spec, fmt.Errorf("usage: control-plane node SPEC.json")
	}
	text, err := os.ReadFile(arguments[0])
	if err != nil {
		return spec, err
	}
	return spec, json.Unmarshal(text, &spec)
}
