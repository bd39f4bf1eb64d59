package timeline

import (
	"hash/fnv"
	"strconv"
	"time"
)

// Fault is what goes wrong with one request.
type Fault struct {
	Status int // answer this instead; 0: none
	// RetryAfter is how many seconds the answer asks for; 0: it does not say.
	RetryAfter int64
	Truncate   bool
	Delay      time.Duration // before the first byte
	RateKbit   int64         // 0: no limit
	Garbage    bool          // answer HTML instead of a playlist
	Redirect   bool
}

// Fault returns the fault of the request r of path at the Unix second now. It is
// always the same for the same path in the same second.
func (r Request) Fault(path string, now int64) (f Fault) {
	k := r.Knobs.Faults
	if minute := now % 60; k.DownFrom <= minute && minute < k.DownTo {
		return Fault{Status: 503}
	} else if k.BusyFrom <= minute && minute < k.BusyTo {
		return Fault{Status: 429, RetryAfter: k.BusyTo - minute}
	}
	switch r.Kind {
	case Multivariant, MediaPlaylist, Manifest:
		f.Redirect = k.Redirect && r.IsMaster()
		f.Garbage = k.NotPlaylist
	case Segment, File:
		f.Delay = time.Duration(k.SlowMs) * time.Millisecond
		f.RateKbit = k.RateKbit
		if chance(path, "status", now) < k.StatusPercent {
			f.Status = k.Status
		}
		f.Truncate = chance(path, "truncate", now) < k.Truncate
	}
	return f
}

// chance draws a number from 0 to 99 for one kind of fault.
func chance(path, kind string, now int64) int64 {
	h := fnv.New64a()
	// Writing to a hash cannot fail.
	_, _ = h.Write([]byte(path + "\n" + kind + "\n" + strconv.FormatInt(now, 10)))
	x := h.Sum64()
	// FNV leaves patterns in its low bits for inputs that differ at the end.
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return int64(x % 100) // below 100
}
