package loader

import "sync/atomic"

// Source is where media bytes came from.
type Source int

// The sources of media bytes.
const (
	FromHTTP   Source = iota // the origin or CDN
	FromSeeder               // a peer with the seeder's peer-id label
	FromViewer               // any other peer
)

// Counters are cumulative counts of an engine. Bytes are media bytes of
// segments as they arrive, those that were thrown away later included; init
// segments, keys and playlists are not counted.
type Counters struct {
	HTTP, Seeder, Viewer int64 // bytes received, by source
	Discarded            int64 // bytes received and not used
	Uploaded             int64 // bytes handed to peers
	Segments             int64 // segments completed
	OriginRequests       int64 // segment requests to the origin
	DigestErrors         int64 // completed segments that differ from the origin's (only with Verify)
	Verified             int64 // completed segments that were compared with the origin's
}

// Received is the sum over the sources, in bytes.
func (c Counters) Received() int64 { return c.HTTP + c.Seeder + c.Viewer }

// Offload is the share of received bytes that came from peers, 0 to 1; 0 if
// nothing was received.
func (c Counters) Offload() float64 {
	if total := c.Received(); total > 0 {
		return float64(c.Seeder+c.Viewer) / float64(total)
	}
	return 0
}

// Add returns the sum of both.
func (c Counters) Add(o Counters) Counters {
	c.HTTP += o.HTTP
	c.Seeder += o.Seeder
	c.Viewer += o.Viewer
	c.Discarded += o.Discarded
	c.Uploaded += o.Uploaded
	c.Segments += o.Segments
	c.OriginRequests += o.OriginRequests
	c.DigestErrors += o.DigestErrors
	c.Verified += o.Verified
	return c
}

type counters struct {
	received                        [3]atomic.Int64
	discarded, uploaded             atomic.Int64
	segments, originRequests        atomic.Int64
	digestErrors, verified          atomic.Int64
	requestsDenied, blamed          atomic.Int64
	uploadsExpired                  atomic.Int64
	cutOff                          [offences]atomic.Int64
	playlistErrors, segmentFailures atomic.Int64
}

func (c *counters) snapshot() Counters {
	return Counters{
		HTTP: c.received[FromHTTP].Load(), Seeder: c.received[FromSeeder].Load(), Viewer: c.received[FromViewer].Load(),
		Discarded: c.discarded.Load(), Uploaded: c.uploaded.Load(), Segments: c.segments.Load(),
		OriginRequests: c.originRequests.Load(), DigestErrors: c.digestErrors.Load(), Verified: c.verified.Load(),
	}
}

// Trouble counts what went wrong, cumulative.
type Trouble struct {
	CommandFloods  int64 // peers cut off for too many commands
	RequestsAbsent int64 // peers' requests for segments not held
	PlaylistErrors int64 // failed playlist refreshes
	OriginFailures int64 // failed segment fetches
}

// Trouble returns the counts of what went wrong.
func (e *Engine) Trouble() Trouble {
	c := &e.counters
	return Trouble{
		CommandFloods: c.cutOff[offenceCommands].Load(), RequestsAbsent: c.requestsDenied.Load(),
		PlaylistErrors: c.playlistErrors.Load(), OriginFailures: c.segmentFailures.Load(),
	}
}
