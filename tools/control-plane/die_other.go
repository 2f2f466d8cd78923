//go:build !linux

package main

import (
	"os"
	"os/exec"
	"sync"
	"time"
)

const parentCheck = 500 * time.Millisecond

var program struct {
	sync.Mutex
	process *os.Process
}

// dieWithParent ends this process, and what it runs, soon after its parent has ended: other kernels have no signal for it.
func dieWithParent(parent int) {
	go func() {
		for os.Getppid() == parent {
			time.Sleep(parentCheck)
		}
		program.Lock() // held until the end: nothing is started any more
		if program.process != nil {
			_ = program.process.Kill()
		}
		os.Exit(1)
	}()
}

// run starts the program as a child, since this process has to stay and watch its parent.
func run(arguments []string) error {
	if len(arguments) == 0 {
		return errNoProgram
	}
	command := exec.Command(arguments[0], arguments[1:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	program.Lock()
	err := command.Start()
	program.process = command.Process
	program.Unlock()
	if err != nil {
		return err
	}
	return command.Wait()
}
