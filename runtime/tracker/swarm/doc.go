// Package swarm owns the tracker's decisions: which peers belong to which swarm, which peer receives whose offers, which
// answers are relayed and how soon a peer announces again. It is pure: state, a parsed message, the time and a
// source of randomness go in, messages to deliver come out. One goroutine at a time may use a Core.
//
// # Offer routing
//
// Clients answer every offer they get, so the tracker's choice is the only topology control there is. A viewer's
// offers go first to the least loaded seeders, until it has been introduced to Config.Seeders of them; then to viewers
// with few connections, every fourth one to a random viewer so that a swarm does not fall apart into cohorts that joined
// together. Connections are estimated: a relayed offer counts for both sides while it may still be answered, a relayed
// answer counts until one side leaves. An unanswered offer counts for its silent recipient for two more intervals, so
// that peers which are gone soon look full.
//
// A pair gets no further offers for two intervals after an offer. After an answer it counts as connected until one of
// the two announces from a new socket; but because an answered offer need not have become a connection (ICE may
// have failed), a viewer that needs peers and finds no new ones sends offers to known peers again after
// Config.RelinkAfter. A browser that is still connected ignores such an offer, so a wrong guess costs nothing.
//
// # Ownership of peer ids
//
// A peer id belongs to the socket that announced it first, for as long as that socket lives: ids are no secrets
// (every relayed offer contains one), and a client that could take over an id would receive its owner's offers and
// answers. The tracker cannot tell an attacker from a client that reconnects after a network failure until the old
// socket is found dead. So a conflict makes the tracker probe the old socket at once, and the newcomer gets a short
// interval. Seeders are authenticated by their token and take over their ids without that wait.
package swarm
