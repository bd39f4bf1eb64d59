// Package integration brings real clusters up on this machine and takes them down again. It holds tests only;
// run them alone, as root, with `go test ./integration`.
package integration
