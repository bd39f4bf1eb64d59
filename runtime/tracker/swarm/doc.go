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
// # Peers that never connect
//
// A client that answers offers and never connects would take the places of real peers: its neighbours seem to have
// enough connections. The tracker cannot see connections, and pages that report none of them play as well. But a client
// ignores offers of a peer that it is connected with. So Config.RepeatAfter after an answer, spare offers are relayed to
// the same peer again. An answer shows that there is no connection: the pair no longer counts for either side, and
// each of the two is led to fewer peers if it was not for a peer with many failures of its own. Silence is believed
// only of the side that is silent. Of a client that makes no offers nothing can be learned in this way: it is the last
// one that offers are relayed to, and a connection to it takes up no room.
//
// In a swarm with viewers from many sources, no source may have more than a share of a viewer's peers, its own source
// excepted. A viewer whose peers are not trusted gets up to twice Config.MaxPeers introductions.
//
// # Sites
//
// With sites, the viewers of a swarm are divided into groups that do not meet: the cells of sites (group, site, cell). A cell
// has Config.Gateways gateways; only they are led to seeders outside, and only if no seeder inside has room. The gateways are
// never fewer than they can be: a successor is chosen in the call in which one leaves. Seeders are asked for offers when a
// viewer that wants one has none (Core.settle). Viewers in no site are each outside of all sites. Viewers that only receive
// are in no index, so that no offers go to them; viewers whose peering is off are in no group. Without sites all viewers are in
// one group, and messages are what they are without this part.
//
// An edge seeder (Place.Edge) serves the viewers of its site and fills from other seeders. Its announces with
// ClientMessage.ToSeeders are led to seeders as those of a gateway are: to Config.Seeders that serve all sites, and to the
// other seeders of its site. Those of the others are led to each other: they fetch one copy together (Origin.Shares). Other
// offers are for viewers. The two kinds of offers are kept apart because a seeder makes the first kind from ports of their own;
// see package mesh.
//
// # Identity of peers
//
// A peer is a socket and an id. Ids are no secrets (every relayed offer contains one), so an id on another socket is a
// peer of its own: neither takes the other's place, and the two are not introduced to each other. An answer goes to the
// peer whose offer was relayed to its sender, and not to all that use the id in it. A client that reconnects after a
// network failure gets offers at once; its old socket is probed, and closed if it is dead. Seeders are authenticated by
// their token: one that announces on a new socket leaves the old one. Ids that begin with Config.SeederPrefix are
// reserved for them.
package swarm
