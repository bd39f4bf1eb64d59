package onecopy

import (
	"errors"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// driver carries out what a member's core decides.
type driver struct{ m *member }

// transfer is one from the origin.
type transfer struct {
	m       *member
	seg     *core.Segment
	attempt int64
	ended   bool
}

// Stop ends it without a byte.
func (t *transfer) Stop() {
	t.m.w.after(0, func() { t.end(core.Failure{Err: errStopped, Ended: true}) })
}

// Progress is none: a segment comes as a whole.
func (t *transfer) Progress() core.Progress { return core.Progress{Remaining: -1} }

var (
	errStopped = errors.New("stopped")
	errStalled = errors.New("no byte came")
)

func (t *transfer) end(f core.Failure) {
	if t.ended || t.m.gone {
		return
	}
	t.ended = true
	data, total := []byte(nil), int64(-1)
	if f.Err == nil {
		data, total = bytesOf(t.seg), size
	}
	t.m.core.Fetched(t.seg, t.attempt, data, total, f, t.m.w.now)
	t.m.wake()
}

// Fetch asks the origin.
func (d driver) Fetch(seg *core.Segment, _ []byte, _ time.Time) core.Transfer {
	w := d.m.w
	t := &transfer{m: d.m, seg: seg, attempt: seg.Attempt}
	w.asked[seg.Sequence]++
	took := originLeast + time.Duration(w.rnd.Int64N(int64(originMost-originLeast)))
	w.after(took, func() {
		if d.m.hangs {
			w.after(stall, func() { t.end(core.Failure{Err: errStalled}) })
			return
		}
		t.end(core.Failure{})
	})
	return t
}

// Ask asks a peer.
func (d driver) Ask(p core.Peer, seg *core.Segment, _ []byte, now time.Time) { p.(*link).ask(seg, now) }

// Own is the member's id.
func (d driver) Own() (identity.PeerID, bool) { return d.m.id, true }

// Reachable tells whether it has peers.
func (d driver) Reachable(time.Time) bool { return len(d.m.links) > 0 }

// Spare is always true, and no segment is examined.
func (driver) Spare() bool                           { return true }
func (driver) Checks() bool                          { return false }
func (driver) Verifies() bool                        { return false }
func (driver) Check(core.Examination) core.Transfer  { panic("nothing is checked") }
func (driver) Verify(core.Examination) core.Transfer { panic("nothing is verified") }

// NewEvent does not come, and what else a driver is told is not of interest.
func (driver) NewEvent() bool                       { return false }
func (driver) Stored(*core.Segment, []byte)         {}
func (driver) Compare(*core.Segment, []byte)        {}
func (driver) Release(int)                          {}
func (driver) Discard([]byte)                       {}
func (driver) Known(int)                            {}
func (driver) Learned()                             {}
func (driver) Forgotten()                           {}
func (driver) Reload(bool)                          {}
func (driver) Doubted()                             {}
func (driver) TooLarge(*core.Segment, int64, int64) {}

// Jumped counts players that fell out of the playlist.
func (d driver) Jumped() { d.m.w.figures.Jumps++ }

// Evicted takes what made room.
func (d driver) Evicted(keys []store.Key) {
	if len(keys) > 0 {
		d.m.w.after(0, func() { d.m.core.Evicted(keys) })
	}
}

// bytesOf are those of a segment.
func bytesOf(*core.Segment) []byte { return whole }

var whole = make([]byte, size)
