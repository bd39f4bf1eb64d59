// Package netns makes a separate network for one program under test: a Linux network namespace
// that is connected to this machine by one veth pair, in which packets can be dropped without
// affecting anything else. It needs root, iproute2 and nftables.
package netns
