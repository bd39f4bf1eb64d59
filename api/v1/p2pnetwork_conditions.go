package v1

// Types of conditions that only networks have. The others are those of streams.
const (
	// ConditionEntranceReady: viewers have an address by which they reach the tracker.
	ConditionEntranceReady = "EntranceReady"
	// ConditionSitesReady: the sites can be told, or there are none.
	ConditionSitesReady = "SitesReady"
)

// Reasons that only networks have.
const (
	// ReasonStreamsAttached: the network is to be deleted, and waits for streams that use it.
	ReasonStreamsAttached = "StreamsAttached"
	// ReasonTableRefused: a tracker does not take the table of streams; the message says why.
	ReasonTableRefused = "TableRefused"
	// ReasonTableNotKept: tracker pods that start while no operator runs have no table of streams, because it is too large.
	ReasonTableNotKept = "TableNotKept"
	// ReasonNoKey: the operator has no key to derive tokens from.
	ReasonNoKey = "NoKey"
)

// FinalizerStreams keeps a network while streams are attached to it.
const FinalizerStreams = "p2pstream.dev/streams"
