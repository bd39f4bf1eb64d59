package tracker

import "slices"

// discrepancy is one difference between our tracker and the recorded one in one case.
type discrepancy struct {
	kind string
	// what is known about the case
	tracker              string
	reason               string // of the recorded failure, or of ours where that is extra
	stopped              bool   // the message has event stopped
	closes               bool   // the recorded tracker closes the socket
	badID                bool   // an id in the message is not 20 characters below U+0100
	conflict             bool   // several live sockets use an id in question
	met                  bool   // announcer and recipient were brought together before
	noWish               bool   // numwant is missing or unusable
	scrapeAll            bool
	recipientGone        bool // the recipient's socket has closed
	membersDiffer        bool // an earlier, explained difference changed who is a member of this swarm
	theirsHaveExtras     bool // the recorded message carries fields that the sender invented
	theirsLackActionHash bool
}

// Kinds of discrepancies.
const (
	kindInterval      = "interval"
	kindFailureFields = "failure fields"
	kindFailureText   = "failure text"
	kindFailureExtra  = "failure where there was none"
	kindSocket        = "socket stays open"
	kindReplyExtra    = "reply where there was none"
	kindReplyMissing  = "no reply"
	kindCounts        = "counts"
	kindFiles         = "scrape files"
	kindOfferExtra    = "offer more"
	kindOfferMissing  = "offer less"
	kindAnswerFields  = "answer fields"
	kindAnswerMissing = "answer less"
)

// difference is a row of the table: where and why our tracker differs from those that were recorded.
type difference struct {
	name, why string
	kinds     []string
	where     func(d discrepancy) bool
}

// differences is the whole table. TestVectorTracker fails on a discrepancy that no row explains, and, with the
// vectors that come with the package, on a row that explains nothing.
var differences = []difference{
	{"the interval is ours", "it adapts to how many peers a viewer has; both others send the same interval to all clients",
		[]string{kindInterval}, func(discrepancy) bool { return true }},
	{"failures carry action and info hash", "p2p-media-loader 2.x drops its socket for up to five minutes on a message without action, and several swarms share a socket",
		[]string{kindFailureFields}, func(d discrepancy) bool { return d.theirsLackActionHash }},
	{"failures about JSON and actions have other texts", "theirs are those of the JavaScript engine, or repeat what the client sent",
		[]string{kindFailureText}, func(d discrepancy) bool { return !slices.Contains(sharedReasons, d.reason) }},
	{"a failure instead of a closed socket", "the socket carries other swarms, which are not at fault",
		[]string{kindFailureExtra}, func(d discrepancy) bool { return d.closes }},
	{"nothing closes the socket", "an answer to a peer that has just left is not a client error, but wt-tracker closes the socket for it",
		[]string{kindSocket}, func(d discrepancy) bool { return d.closes }},
	{"event stopped is answered", "bittorrent-tracker does, wt-tracker does not; clients take it either way",
		[]string{kindReplyExtra}, func(d discrepancy) bool { return d.stopped }},
	{"events of bittorrent-tracker are known", "update, paused and empty are announces like others",
		[]string{kindReplyExtra}, func(d discrepancy) bool { return d.closes && !d.stopped }},
	{"ids are 20 characters below U+0100", "the info hash of a reply must be the one that was sent, or clients ignore it; no client sends others",
		[]string{kindFailureExtra, kindReplyMissing, kindOfferMissing}, func(d discrepancy) bool { return d.badID }},
	{"an id on another socket is a peer of its own", "ids are not secret; a takeover would redirect its owner's offers. Peers with one id are not introduced to each other",
		[]string{kindOfferMissing, kindOfferExtra}, func(d discrepancy) bool { return d.conflict }},
	{"a pair that met is left alone", "a browser that is connected ignores further offers, and one that did not answer will not answer soon",
		[]string{kindOfferMissing}, func(d discrepancy) bool { return d.met }},
	{"offers need no numwant", "a client that sends offers wants them relayed; wt-tracker drops them",
		[]string{kindOfferExtra}, func(d discrepancy) bool { return d.noWish }},
	{"no ghosts", "bittorrent-tracker forgets only the first id of a closed socket, and wastes offers on the others for 20 minutes",
		[]string{kindOfferMissing}, func(d discrepancy) bool { return d.recipientGone }},
	{"counts follow from who is a member", "after an id on two sockets, a refused one, a socket that stays open here, or a ghost there, the members are others",
		[]string{kindCounts, kindFiles}, func(d discrepancy) bool { return d.membersDiffer }},
	{"answers and offers are rebuilt", "only type and sdp are relayed: simple-peer acts on other fields of a signal, which the sender controls",
		[]string{kindAnswerFields}, func(d discrepancy) bool { return d.theirsHaveExtras }},
}

// sharedReasons are failure texts that we have in common with bittorrent-tracker.
var sharedReasons = []string{"invalid info_hash", "invalid peer_id", "invalid event", "invalid `to_peer_id` (required with `answer`)"}
