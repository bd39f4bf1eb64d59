// Package cluster is the life of a cluster: up, loading images, offices, status and down. What it needs to undo
// later it writes into the cluster's state folder before it does it.
package cluster
