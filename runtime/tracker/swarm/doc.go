// Package swarm owns the tracker's decisions: who is a member of which swarm, whose offers go to whom, which
// answers are passed on and how soon a peer announces again. It is pure: state, a parsed message, the time and a
// source of randomness go in, messages to deliver come out. One goroutine at a time may use a Core.
//
// # Who meets whom
//
// Clients answer every offer they get, so the tracker's choice is the only topology control there is. A viewer's
// offers go first to the least loaded seeders, until it has met Config.Seeders of them; then to viewers with few
// connections, every fourth one to a random viewer so that a swarm does not fall apart into cohorts that joined
// together. Connections are estimated: an offer that was passed on counts for both sides while it may still be
// answered, an answer that was passed on counts until one side leaves. An offer that was not answered counts
// against the one that kept silent for two intervals, so ghosts soon look full.
//
// A pair is left alone for two intervals after an offer. After an answer it is taken for connected until one of
// the two announces from a new socket; but because an answered offer need not have become a connection (ICE may
// have failed), a viewer that lacks peers and finds nobody new gets offers to its old acquaintances again after
// Config.RelinkAfter. A browser that is still connected ignores such an offer, so a wrong guess costs nothing.
//
// # Who may be whom
//
// A peer id belongs to the socket that announced it first, for as long as that socket lives: ids are no secrets
// (every relayed offer names one), and whoever could take one over would get its owner's offers and answers. A
// client that comes back after its network failed is a stranger too until its old socket is found dead, so a
// conflict makes the front probe the old socket at once and tells the newcomer to come again soon. Seeders have
// proved with their token who they are and take their ids over without that wait.
package swarm
