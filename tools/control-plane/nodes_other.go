//go:build !linux

package main

import "errors"

var errNeedsLinux = errors.New("real nodes are made of Linux namespaces: run it on Linux")

func runNetwork([]string) error  { return errNeedsLinux }
func runNode([]string) error     { return errNeedsLinux }
func runNodeInit([]string) error { return errNeedsLinux }
