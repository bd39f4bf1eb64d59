// Package netns makes a network of its own for one program under test: a Linux network namespace
// that is joined to this machine by one veth pair, in which packets can be dropped without touching
// anything else. It needs root, iproute2 and nftables.
package netns
