// Package binaries builds the programs of a cluster from Go modules, once: each is kept in the user's cache folder
// under a key of its sources and flags.
package binaries
