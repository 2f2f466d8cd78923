package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// The main thread's namespaces are what /proc/PID/ns shows; and what a thread started ends when that thread does.
func init() {
	if len(os.Args) > 1 && (os.Args[1] == "network" || os.Args[1] == "node") {
		runtime.LockOSThread()
	}
}

// runNetwork makes the network that a cluster's nodes are plugged into: a namespace with a bridge, in which the control plane runs.
// Connections to `listen` on the machine's own loopback are passed to `target` in it. The namespace lasts as long as a process in it.
func runNetwork(arguments []string) error {
	if len(arguments) != 3 {
		return fmt.Errorf("usage: control-plane network LISTEN TARGET ADDRESS/LENGTH")
	}
	listen, target, address := arguments[0], arguments[1], arguments[2]
	// Before the namespace: a listener stays where it was made.
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		return fmt.Errorf("making a network namespace: %w", err)
	}
	for _, command := range []string{
		"link set lo up",
		"link add br0 type bridge",
		"address add " + address + " dev br0",
		"link set br0 up",
	} {
		if err := ip(command); err != nil {
			return err
		}
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return err
	}
	clients := make(chan net.Conn)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				fmt.Fprintf(os.Stderr, "control-plane: %v\n", err)
				os.Exit(1)
			}
			clients <- client
		}
	}()
	fmt.Printf("%s is passed to %s\n", listen, target)
	for client := range clients {
		// On this thread: a socket belongs to the namespace of the thread that makes it.
		server, err := net.Dial("tcp", target)
		if err != nil {
			client.Close()
			continue
		}
		go pass(client.(*net.TCPConn), server.(*net.TCPConn))
		go pass(server.(*net.TCPConn), client.(*net.TCPConn))
	}
	return nil
}

// pass copies one direction, and hands on its end.
func pass(from, to *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil {
		from.Close()
		to.Close()
		return
	}
	to.CloseWrite()
}

// ip runs iproute2 in the namespace of this thread.
func ip(command string) error {
	if said, err := exec.Command("ip", strings.Fields(command)...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", command, err, strings.TrimSpace(string(said)))
	}
	return nil
}
