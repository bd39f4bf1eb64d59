// Package plan decides what a cluster on one machine looks like, and touches nothing: names, addresses, routes,
// the configuration and the arguments of every program, the packet filters of nodes and offices.
//
// It is a pure room: no file, no network, no clock. What the machine has (its routes, its cgroups, its
// file systems) comes in as arguments.
package plan
