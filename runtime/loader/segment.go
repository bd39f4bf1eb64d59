package loader

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// segment is one segment of a rendition and how far this peer is with it.
type segment struct {
	manifest.Segment
	key      store.Key
	state    schedule.State
	partial  []byte // bytes held of an unfinished segment, from whatever source
	total    int64  // bytes of the whole; -1 if unknown
	claimed  int64  // what the sources of partial said that is; -1 if they did not
	failures int    // of the origin, since the last success
	retryAt  time.Time
	retired  time.Time // when it left the playlist; zero while it is in it
	from     *session  // peer that was asked
	notFrom  *session  // peer that failed last
	stop     context.CancelFunc
	since    time.Time // when the origin was asked
	problem  error     // why the origin did not deliver last
	attempt  int64     // counts the transfers
	arriving atomic.Pointer[arrival]

	// On demand only.
	feed   atomic.Pointer[feed] // for players that wait; nil if there are none
	waits  []*wait
	noRoom bool // the store did not take it
}

// arrival is how far a transfer from the origin is.
type arrival struct {
	at                  time.Time
	received, remaining int64
}

// remaining is how many of total bytes are still to come; −1 if that is not known.
func remaining(total int64, have int) int64 {
	if total < 0 {
		return -1
	}
	return total - int64(have)
}

// publish hands what a transfer has brought so far to the players that wait.
func (s *segment) publish(attempt int64, data []byte, total int64, now time.Time) {
	if f := s.feed.Load(); f != nil {
		f.publish(attempt, data, total, now)
	}
}

// begin counts a new transfer, which continues the bytes held.
func (s *segment) begin(held []byte) int64 {
	s.attempt++
	if f := s.feed.Load(); f != nil {
		f.begin(s.attempt, held)
	}
	return s.attempt
}

func (s *segment) held() bool { return s.state == schedule.Held }

// merge takes a new playlist: new segments are added, those that left it retire.
func (r *rendition) merge(p *manifest.Playlist, now time.Time) {
	if p.Restarted {
		r.forgetAll()
	}
	r.playlist = p
	inPlaylist := make(map[store.Key]bool, len(p.Segments))
	fresh := false
	for _, m := range p.Segments {
		key := store.Key(m.Key())
		if inPlaylist[key] {
			continue // only the first entry with a URI and range exists for players
		}
		inPlaylist[key] = true
		if old, ok := r.byKey[key]; ok {
			old.retired = time.Time{}
			old.Segment = m
			continue
		}
		seg := &segment{Segment: m, key: key, total: -1, claimed: -1}
		if m.Range != nil {
			seg.total = m.Range.Length
		}
		if r.e.store.Has(key) {
			seg.state = schedule.Held
		}
		r.byKey[key] = seg
		if r.bySeq[seg.Sequence] == nil {
			r.bySeq[seg.Sequence] = seg
		}
		r.segments = append(r.segments, seg)
		fresh = true
	}
	for _, seg := range r.segments {
		if !inPlaylist[seg.key] && seg.retired.IsZero() {
			seg.retired = now
		}
	}
	if fresh {
		r.newestAt = now
		for _, g := range r.e.cfg.Generations {
			r.index.Learn(g, r.ids(g))
		}
	}
	if !p.Live && r.e.playback != nil && len(p.Segments) > 0 {
		last := p.Segments[len(p.Segments)-1]
		r.e.playback.SetEnd(last.Start + last.Duration - p.Segments[0].Start)
	}
	r.dirty = true
}

// forgetAll drops every segment: a stream that begins anew may use the same
// numbers, and even the same URLs, for other media.
func (r *rendition) forgetAll() {
	r.log.Info("stream begins anew, dropping what was held")
	for _, seg := range r.segments {
		r.drop(seg)
	}
	r.segments, r.based = nil, false
	clear(r.bySeq)
}

func (r *rendition) drop(seg *segment) {
	r.giveUp(seg)
	r.answer(seg, nil, ErrGone)
	r.e.store.Remove(seg.key)
	delete(r.byKey, seg.key)
	if r.bySeq[seg.Sequence] == seg {
		delete(r.bySeq, seg.Sequence)
	}
	r.dirty = true
}

// retire lets go of segments that left the playlist two target durations ago:
// until then players that refresh late may still want them.
func (r *rendition) retire(now time.Time) {
	if r.playlist == nil {
		return
	}
	keep := 2 * r.playlist.TargetDuration
	if r.e.demand != nil {
		// Players may ask for a segment as long after it left the playlist as the playlist is (RFC 8216 §6.2.2).
		keep = max(keep, r.playlist.Window)
	}
	// A playlist that is another one at each load must not fill the memory with what has left it.
	excess := len(r.segments) - len(r.playlist.Segments) - max(leastRetired, len(r.playlist.Segments))
	kept := r.segments[:0]
	for _, seg := range r.segments {
		if excess > 0 && !seg.retired.IsZero() {
			r.drop(seg)
			excess--
			continue
		}
		if seg.retired.IsZero() || now.Sub(seg.retired) < keep || r.needed(seg, now) || len(seg.waits) > 0 {
			kept = append(kept, seg)
			continue
		}
		r.drop(seg)
	}
	clear(r.segments[len(kept):])
	r.segments = kept
	r.count(len(kept))
}

// giveUp ends whatever brings a segment in.
func (r *rendition) giveUp(seg *segment) {
	switch seg.state {
	case schedule.Fetching:
		seg.stop()
	case schedule.Requested:
		data, _ := seg.from.cancelDownload()
		r.discard(data)
	}
	r.discard(seg.partial)
	seg.partial, seg.state = nil, schedule.Missing
}

// completed takes the bytes of a whole segment.
func (r *rendition) completed(seg *segment, data []byte, source traffic.Source) {
	now := time.Now()
	if seg.held() || r.byKey[seg.key] != seg {
		r.discard(data)
		return
	}
	if len(data) == 0 || (seg.total >= 0 && int64(len(data)) != seg.total) || (seg.claimed >= 0 && int64(len(data)) != seg.claimed) {
		// A segment of no or the wrong length must never be announced: it would poison the swarm.
		r.discard(data)
		if seg.from != nil {
			seg.from.blame(now)
		}
		r.missing(seg, nil)
		seg.notFrom = seg.from
		return
	}
	r.transit.Release(len(data))
	if seg.from != nil && source != traffic.FromHTTP {
		seg.from.praise()
	}
	if source == traffic.FromHTTP {
		r.row = 0
	}
	if seg.state == schedule.Fetching {
		seg.stop() // a peer was faster after all
	}
	evicted, ok := r.e.store.Put(seg.key, r.rank(seg, now), data)
	r.e.dropEvicted(evicted)
	seg.partial, seg.claimed, seg.from, seg.failures, seg.problem = nil, -1, nil, 0, nil
	r.dirty = true
	r.answer(seg, data, nil)
	if !ok {
		seg.state = schedule.Missing
		seg.noRoom = true // beside what ranks higher
		if r.e.demand == nil {
			seg.retryAt = now.Add(time.Hour)
		}
		return
	}
	seg.state = schedule.Held
	seg.total = int64(len(data))
	r.e.counters.Segments.Add(1)
	if r.e.cfg.Verify {
		r.verify(seg.Segment, data, source)
	}
}

// discard counts bytes that turned out to be of no use.
func (r *rendition) discard(data []byte) {
	r.e.counters.Discarded.Add(int64(len(data)))
	r.transit.Release(len(data))
}

// rank is the order of eviction: live segments go by presentation time, those
// of a VOD seeder by last use, those of a VOD viewer by presentation time. On
// demand all go by last use, since players may be anywhere.
func (r *rendition) rank(seg *segment, now time.Time) int64 {
	if r.e.demand != nil || (r.e.cfg.Role == RoleSeeder && !r.playlist.Live) {
		return now.UnixMilli()
	}
	return seg.Start.Milliseconds()
}

// keep takes a segment back, with the bytes of a transfer that failed and what its source said that the whole has.
// Sources that contradict each other have no bytes in common.
func (r *rendition) keep(seg *segment, partial []byte, total int64) {
	switch {
	case total < 0:
	case seg.claimed >= 0 && seg.claimed != total:
		r.discard(partial)
		partial = nil
	default:
		seg.claimed = total
	}
	r.missing(seg, partial)
}

// missing takes a segment back to where somebody must be asked for it.
func (r *rendition) missing(seg *segment, partial []byte) {
	if len(partial) == 0 {
		seg.claimed = -1
	}
	seg.state, seg.partial = schedule.Missing, partial
	if f := seg.feed.Load(); f != nil {
		f.keep(partial)
	}
	r.dirty = true
}

// downloadFailed handles a request to a peer that brought no whole segment.
func (r *rendition) downloadFailed(s *session, seg *segment, data []byte, total int64, reason wire.FailureReason) {
	if seg.state != schedule.Requested || seg.from != s {
		r.discard(data)
		return
	}
	if reason == wire.FailureAbsent || reason == wire.FailureTimeout {
		s.blame(time.Now())
	}
	r.log.Debug("peer did not deliver", "peer", string(s.peer.ID()), "sequence", seg.Sequence, "reason", reason)
	r.keep(seg, data, total)
	seg.from, seg.notFrom = nil, s
}

// evicted handles segments that another rendition's segment pushed out.
func (r *rendition) evicted(keys []store.Key) {
	for _, key := range keys {
		if seg, ok := r.byKey[key]; ok && seg.held() {
			r.missing(seg, nil)
		}
	}
}

// failed notes that the origin did not deliver and when to ask again.
func (r *rendition) failed(seg *segment, now time.Time) {
	seg.failures++
	r.row++
	r.rowAt = now
	step := min(250*time.Millisecond<<min(seg.failures-1, 6), 5*time.Second)
	jitter := time.Duration(float64(step) / 2 * lottery(r.e.seed, seg.Sequence+int64(seg.failures)))
	seg.retryAt = now.Add(step/2 + jitter)
}

// lottery is a number in [0,1) that depends on the viewer and the segment only.
func lottery(seed uint64, id int64) float64 {
	x := seed ^ uint64(id)*0x9e3779b97f4a7c15
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>11) / math.Exp2(53)
}

// ids are the ids of all segments known, as peers of a generation call them.
func (r *rendition) ids(g identity.Generation) []int64 {
	out := make([]int64, len(r.segments))
	for i, seg := range r.segments {
		out[i] = seg.ID(g)
	}
	return out
}
