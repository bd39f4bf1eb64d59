package telemetry

import "math"

// MaxCounter is the largest value a counter may hold: 2^53 − 1, the last integer that a browser's number represents
// exactly (ECMA-262, Number.MAX_SAFE_INTEGER).
const MaxCounter = 1<<53 - 1

// Counters are media bytes, cumulative since the session began. Init segments, keys and playlists are not media bytes.
// HTTP, Seeder and Viewer together are everything received; Discarded is the part of it that was thrown away before a
// segment was complete; Uploaded is what was sent to other peers.
type Counters struct {
	HTTP      int64 `json:"http"`
	Seeder    int64 `json:"seeder"`
	Viewer    int64 `json:"viewer"`
	Discarded int64 `json:"discarded"`
	Uploaded  int64 `json:"uploaded"`
}

// Received returns all media bytes received, from any source, including discarded ones.
func (c Counters) Received() int64 { return addSaturating(addSaturating(c.HTTP, c.Seeder), c.Viewer) }

// Peer returns the media bytes received from peers: seeders and viewers.
func (c Counters) Peer() int64 { return addSaturating(c.Seeder, c.Viewer) }

// Offload returns Peer ÷ Received as a fraction from 0 to 1, and false when nothing has been received: no bytes is
// not the same as no offload.
func (c Counters) Offload() (float64, bool) {
	received := c.Received()
	if received <= 0 {
		return 0, false
	}
	return float64(c.Peer()) / float64(received), true
}

// Add returns the sum, each counter stopping at the largest int64 instead of wrapping.
func (c Counters) Add(d Counters) Counters {
	return Counters{
		HTTP: addSaturating(c.HTTP, d.HTTP), Seeder: addSaturating(c.Seeder, d.Seeder),
		Viewer: addSaturating(c.Viewer, d.Viewer), Discarded: addSaturating(c.Discarded, d.Discarded),
		Uploaded: addSaturating(c.Uploaded, d.Uploaded),
	}
}

// Sub returns c − d, each counter stopping at zero.
func (c Counters) Sub(d Counters) Counters {
	return Counters{
		HTTP: subFloor(c.HTTP, d.HTTP), Seeder: subFloor(c.Seeder, d.Seeder), Viewer: subFloor(c.Viewer, d.Viewer),
		Discarded: subFloor(c.Discarded, d.Discarded), Uploaded: subFloor(c.Uploaded, d.Uploaded),
	}
}

// AtLeast reports whether no counter of c is below the same counter of d.
func (c Counters) AtLeast(d Counters) bool {
	return c.HTTP >= d.HTTP && c.Seeder >= d.Seeder && c.Viewer >= d.Viewer && c.Discarded >= d.Discarded &&
		c.Uploaded >= d.Uploaded
}

// check returns the first reason to refuse the values, looking at them alone.
func (c Counters) check() Reason {
	for _, v := range [...]int64{c.HTTP, c.Seeder, c.Viewer, c.Discarded, c.Uploaded} {
		if v < 0 {
			return Negative
		}
		if v > MaxCounter {
			return Overflowing
		}
	}
	if c.Received() > MaxCounter {
		return Overflowing
	}
	if c.Discarded > c.Received() {
		return Inconsistent
	}
	return ""
}

func addSaturating(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func subFloor(a, b int64) int64 {
	if a <= b {
		return 0
	}
	return a - b
}
