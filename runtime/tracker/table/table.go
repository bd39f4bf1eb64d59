// Package table defines the table of streams that one tracker serves, in the JSON that the tracker takes and keeps: for
// the tracker, and for the programs that write tables, such as the operator. It is pure.
package table

import (
	"slices"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
)

// Path is where the admin listener takes a table with PUT, and tells with GET what is served.
const Path = "/v1/streams"

// Bounds of a table: of its JSON in bytes, of its entries, and of the lists in one of them.
const (
	MaxBytes       = 16 << 20
	MaxEntries     = 2000
	MaxRevision    = 256
	MaxTokenHashes = 8
	MaxOrigins     = 100
	MaxShare       = 1000
)

// Table is the streams that a tracker serves. Of two streams with one swarm, the first one has it.
type Table struct {
	// Revision is any text that the writer tells tables apart by, at most MaxRevision bytes.
	Revision string  `json:"revision"`
	Streams  []Entry `json:"streams"`
}

// Entry is one stream.
type Entry struct {
	// Namespace and Name are the stream's path on the tracker, /NAMESPACE/NAME/: names as Kubernetes has them.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// UID tells a stream from an earlier one of the same name. Another UID begins with new figures.
	UID string `json:"uid,omitempty"`
	// Stream is what a tracker of its own would be configured with. STUN servers and the external URL are the tracker's,
	// and headersDir, caFile and viewerTokens.keysDir must be in the directory that the tracker allows for them.
	Stream config.StreamConfig `json:"stream"`
	// AllowedOrigins are the web origins whose pages may connect; empty means all.
	AllowedOrigins []string `json:"allowedOrigins,omitempty"`
	// SeederTokenHashes are "sha256:HEX" of tokens. Who holds one of them is a seeder of this stream.
	SeederTokenHashes []string `json:"seederTokenHashes,omitempty"`
	// Limits are below those of the tracker.
	Limits Limits `json:"limits,omitzero"`
	// Share is the weight of the stream when streams compete for what the tracker has. Default 1, at most MaxShare.
	Share int `json:"share,omitempty"`
}

// Limits bound what one stream may use. Zero fields: what the tracker as a whole may use.
type Limits struct {
	// Sockets are WebSockets of viewers.
	Sockets int `json:"sockets,omitempty"`
	// PeersPerSwarm, Sessions and ReportsPerSecond are as in the tracker's configuration.
	PeersPerSwarm    int `json:"peersPerSwarm,omitempty"`
	Sessions         int `json:"sessions,omitempty"`
	ReportsPerSecond int `json:"reportsPerSecond,omitempty"`
}

// Key names a stream.
type Key struct{ Namespace, Name string }

// Key returns the name of the entry's stream.
func (e Entry) Key() Key { return Key{e.Namespace, e.Name} }

// String returns NAMESPACE/NAME, or "" for the zero key.
func (k Key) String() string {
	if k == (Key{}) {
		return ""
	}
	return k.Namespace + "/" + k.Name
}

// Prefix returns the path of the stream without a slash at its end, or "" for the zero key.
func (k Key) Prefix() string {
	if k == (Key{}) {
		return ""
	}
	return "/" + k.Namespace + "/" + k.Name
}

// Swarm returns what the entry says of what its swarms are derived from. Where the manifest's URL is led elsewhere, and there is no
// swarmID, it is another one.
func (e Entry) Swarm() string {
	if e.Stream.SwarmID != "" {
		return e.Stream.SwarmID
	}
	return identity.DefaultSwarmID(e.Stream.SourceURL)
}

// Weight returns Share with its default.
func (e Entry) Weight() int { return max(1, e.Share) }

// Applied is the answer to a table that was taken.
type Applied struct {
	Revision string `json:"revision"`
	Streams  int    `json:"streams"`
}

// Refused is the answer to a table that was not taken; the one before it stays.
type Refused struct {
	Error string `json:"error"`
}

// States is the answer to GET.
type States struct {
	Revision string  `json:"revision"` // empty: no table was taken so far
	Streams  []State `json:"streams"`
}

// State is how a stream is served.
type State struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
	Viewers   int    `json:"viewers"` // sockets
	Seeders   int    `json:"seeders"` // sockets
	// Read tells whether the stream has been read from its origin.
	Read bool `json:"read"`
	// Problem is a CamelCase word, empty if there is none, and Detail a sentence.
	Problem Problem `json:"problem,omitempty"`
	Detail  string  `json:"detail,omitempty"`
}

// Problem is why a stream is not served in full.
type Problem string

const (
	// ProblemSwarmTaken says that an earlier stream of the table has the same swarm.
	ProblemSwarmTaken Problem = "SwarmTaken"
	// ProblemSource says that the stream cannot be read from its origin.
	ProblemSource Problem = "SourceProblem"
)

// Served returns the state of a stream.
func (s States) Served(k Key) (State, bool) {
	i := slices.IndexFunc(s.Streams, func(st State) bool { return st.Namespace == k.Namespace && st.Name == k.Name })
	if i < 0 {
		return State{}, false
	}
	return s.Streams[i], true
}
