package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// dieWithParent asks the kernel to kill this process when its parent ends, however it ends.
// The setting survives execve, and the process that asked may have lost its parent already: then it ends at once.
func dieWithParent(parent int) {
	runtime.LockOSThread() // the setting belongs to the thread that asks, so the thread has to stay
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0); errno != 0 {
		fmt.Fprintf(os.Stderr, "control-plane: asking to end with the parent process: %v\n", errno)
		os.Exit(1)
	}
	if os.Getppid() != parent {
		os.Exit(1)
	}
}

// run replaces this process by the program, which keeps the setting of dieWithParent.
func run(arguments []string) error {
	if len(arguments) == 0 {
		return errNoProgram
	}
	return syscall.Exec(arguments[0], arguments, os.Environ())
}
