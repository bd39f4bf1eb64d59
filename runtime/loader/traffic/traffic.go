package traffic

import "sync/atomic"

// Source is where media bytes came from.
type Source int

// The sources of media bytes.
const (
	FromHTTP   Source = iota // the origin or CDN
	FromSeeder               // a peer with the seeder's peer-id label
	FromViewer               // any other peer
	sources
)

// Counters are cumulative counts of an engine. Bytes are media bytes of
// segments as they arrive, including those that were discarded later; init
// segments, keys and playlists are not counted.
type Counters struct {
	HTTP, Seeder, Viewer int64 // bytes received, by source
	Discarded            int64 // bytes received and not used
	Uploaded             int64 // bytes handed to peers
	Segments             int64 // segments completed
	OriginRequests       int64 // segment requests to the origin
	DigestErrors         int64 // completed segments that differ from the origin's (only with Verify)
	Verified             int64 // completed segments that were compared with the origin's
	Checks               Checks
}

// Checks count segments that came from peers, in whole or in part, by what their hashes told.
type Checks struct {
	Right    int64
	Wrong    int64 // dropped
	Unknown  int64 // taken without a check: no seeder vouches for them
	Unproven int64 // dropped: a seeder vouches for them, and the hash did not come in time
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
	c.Checks.Right += o.Checks.Right
	c.Checks.Wrong += o.Checks.Wrong
	c.Checks.Unknown += o.Checks.Unknown
	c.Checks.Unproven += o.Checks.Unproven
	return c
}

// Problems counts what went wrong, cumulative.
type Problems struct {
	CommandFloods  int64 // peers disconnected for too many commands
	RequestsAbsent int64 // peers' requests for segments not held
	PlaylistErrors int64 // failed playlist refreshes
	OriginFailures int64 // failed segment fetches
}

// Recorder counts for all parts of one engine; all of its fields may be used by many goroutines.
type Recorder struct {
	Received                        [sources]atomic.Int64 // bytes
	Discarded, Uploaded             atomic.Int64          // bytes
	Segments, OriginRequests        atomic.Int64
	DigestErrors, Verified          atomic.Int64
	Right, Wrong, Unknown, Unproven atomic.Int64 // as in Checks
	Comparisons                     [Comparisons]atomic.Int64
	RequestsAbsent                  atomic.Int64 // peers' requests for segments not held
	PeersBlamed                     atomic.Int64 // times that a peer did not deliver what it announced
	UploadsExpired                  atomic.Int64 // uploads ended because the peer read too slowly
	Disconnects                     [Reasons]atomic.Int64
	PlaylistErrors, SegmentFailures atomic.Int64
	Spread                          Spread

	renditions renditions
}

// Comparison is what came of comparing a segment that another seeder gave with the origin.
type Comparison int

// The results. Uncompared: the origin did not answer, gives whole files only, or is slow to compare those before.
const (
	Same Comparison = iota
	Other
	Uncompared
	Comparisons // how many there are
)

func (c Comparison) String() string { return [...]string{"same", "other", "uncompared"}[c] }

// Spread counts how a seeder told viewers of live segments, each segment once for each group of viewers.
type Spread struct {
	Segments  atomic.Int64 // that were spread
	Told      atomic.Int64 // viewers that were chosen to bring one
	Late      atomic.Int64 // those of them that were chosen because another one was late
	Opened    atomic.Int64 // segments that some viewers still lacked when all were told
	Unchosen  atomic.Int64 // segments that were held back no longer because no viewer could be chosen
	GroupsOff atomic.Int64 // times that a group was found not to share
}

// Counters returns what was counted so far.
func (r *Recorder) Counters() Counters {
	return Counters{
		HTTP: r.Received[FromHTTP].Load(), Seeder: r.Received[FromSeeder].Load(), Viewer: r.Received[FromViewer].Load(),
		Discarded: r.Discarded.Load(), Uploaded: r.Uploaded.Load(), Segments: r.Segments.Load(),
		OriginRequests: r.OriginRequests.Load(), DigestErrors: r.DigestErrors.Load(), Verified: r.Verified.Load(),
		Checks: Checks{Right: r.Right.Load(), Wrong: r.Wrong.Load(), Unknown: r.Unknown.Load(), Unproven: r.Unproven.Load()},
	}
}

// Problems returns the counts of what went wrong so far.
func (r *Recorder) Problems() Problems {
	return Problems{
		CommandFloods: r.Disconnects[CommandFlood].Load(), RequestsAbsent: r.RequestsAbsent.Load(),
		PlaylistErrors: r.PlaylistErrors.Load(), OriginFailures: r.SegmentFailures.Load(),
	}
}
