// Package bin holds no code: its go.mod pins the programs named in tool lines, each built from its own module with
//
//	go build -o PROGRAM IMPORT/PATH
package bin
