// Package binaries builds what a cluster runs out of Go modules, once: each program is kept in the user's cache
// folder under a key of all that it is made from.
package binaries
