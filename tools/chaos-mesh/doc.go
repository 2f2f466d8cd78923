// Package chaosmesh holds no code: its go.mod pins the controller and the daemon of Chaos Mesh, which are built from their own module.
package chaosmesh
