// Package k6 holds no code: its go.mod pins k6, which is built from its own module. It stands apart from the other tools because it is
// under another licence, and so that none of them is built anew when it changes.
package k6
