package rendition

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// request asks a peer for a segment, from the bytes already held on.
func (r *Rendition) request(s *session.Session, seg *segment, now time.Time) {
	held := seg.partial
	seg.state, seg.from, seg.partial = schedule.Requested, s, nil
	r.announcer.dirty = r.announcer.dirty || r.passesOn(seg)
	r.distrust(seg, s, len(held))
	r.withhold(seg)
	attempt := seg.begin(held)
	s.Start(session.Request{
		ID: seg.ID(s.Generation()), Held: held, Total: seg.total,
		Progress: func(data []byte, total int64, at time.Time) { seg.requests.Publish(attempt, data, total, at) },
		Done:     func(result session.Result) { r.mail.Post(func() { r.answered(s, seg, result) }) },
	}, now)
}

// answered takes the end of a request to a peer.
func (r *Rendition) answered(s *session.Session, seg *segment, result session.Result) {
	if result.Succeeded {
		r.completed(seg, result.Data, result.Source)
		return
	}
	if seg.state != schedule.Requested || seg.from != s {
		r.discard(result.Data)
		return
	}
	if result.Reason == wire.FailureAbsent || result.Reason == wire.FailureTimeout {
		s.RecordFailure(time.Now())
	}
	r.log.Debug("peer did not deliver", "peer", string(s.ID()), "sequence", seg.Sequence, "reason", result.Reason)
	r.keep(seg, result.Data, result.Total)
	seg.from, seg.notFrom = nil, s
	r.filling.failed(time.Now())
}

// abandon ends a transfer that is too slow, so that another source can continue it. A player may be reading the bytes
// that have arrived. Those from the origin are with the transfer's goroutine, which delivers them; see fetched.
func (r *Rendition) abandon(seg *segment, now time.Time) {
	if seg.state == schedule.Fetching {
		seg.stop()
		return
	}
	from := seg.from
	data, total, running := from.Cancel()
	if !running {
		return // it has just ended: its bytes are in the mailbox, and players may be reading them
	}
	r.keep(seg, data, total)
	seg.notFrom, seg.from = from, nil
	from.RecordFailure(now)
	r.filling.failed(now)
}

// giveUp ends the transfer of a segment and drops its bytes.
func (r *Rendition) giveUp(seg *segment) {
	switch seg.state {
	case schedule.Fetching:
		seg.stop()
	case schedule.Requested:
		data, _, _ := seg.from.Cancel()
		r.discard(data)
	}
	r.discard(seg.partial)
	seg.partial, seg.state = nil, schedule.Missing
}

// completed takes the bytes of a whole segment.
func (r *Rendition) completed(seg *segment, data []byte, source traffic.Source) {
	now := time.Now()
	if seg.held() || r.segments.byKey[seg.key] != seg {
		r.discard(data)
		return
	}
	if !validLength(len(data), seg.total, seg.claimed) {
		// A segment of no or the wrong length must never be announced: it would poison the swarm.
		r.discard(data)
		if seg.from != nil {
			seg.from.RecordFailure(now)
		}
		r.missing(seg, nil)
		seg.notFrom = seg.from
		return
	}
	if r.check(seg, data, source) || r.verify(seg, data, source) {
		return
	}
	r.take(seg, data, source, now)
}

// take stores the bytes of a whole segment, which are what they should be as far as that can be known.
func (r *Rendition) take(seg *segment, data []byte, source traffic.Source, now time.Time) {
	r.transit.Release(len(data))
	if seg.from != nil && source != traffic.FromHTTP {
		seg.from.RecordSuccess()
		r.filling.failedAt = time.Time{}
	}
	if source == traffic.FromHTTP {
		r.origin.succeeded()
	}
	if seg.state == schedule.Fetching {
		seg.stop() // a peer delivered first
	}
	seg.used = now
	seg.rank = r.rank(seg, now)
	evicted, ok := r.shared.Store.Put(seg.key, seg.rank, data)
	r.shared.Evicted(evicted)
	seg.partial, seg.claimed, seg.from, seg.failures, seg.problem = nil, -1, nil, 0, nil
	seg.trust()
	seg.unproven = 0
	seg.wantedAt, seg.offeredAt, seg.tries = time.Time{}, time.Time{}, 0
	r.announcer.dirty = true
	r.answer(seg, data, nil)
	if !ok {
		seg.state = schedule.Missing
		seg.noRoom = true // the segments held rank higher
		seg.total = int64(len(data))
		if r.shared.Settings.Seeder { // a viewer asks for room again
			seg.retryAt = now.Add(time.Hour)
		}
		return
	}
	seg.state = schedule.Held
	seg.total = int64(len(data))
	r.shared.Counters.Segments.Add(1)
	r.note(seg, data)
}

// discard counts bytes that are not used.
func (r *Rendition) discard(data []byte) {
	r.shared.Counters.Discarded.Add(int64(len(data)))
	r.transit.Release(len(data))
}

// keep takes a segment back, with the bytes of a transfer that failed and the size that its source gave for the whole.
// Bytes from sources that contradict each other are not joined.
func (r *Rendition) keep(seg *segment, partial []byte, total int64) {
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

// missing makes a segment one that has to be fetched or requested.
func (r *Rendition) missing(seg *segment, partial []byte) {
	if len(partial) == 0 {
		seg.claimed = -1
		seg.trust()
	}
	seg.state, seg.partial = schedule.Missing, partial
	seg.requests.Keep(partial)
	r.announcer.dirty = true
}

// evicted handles segments that another rendition's segment pushed out of the store.
func (r *Rendition) evicted(keys []store.Key) {
	for _, key := range keys {
		if seg, ok := r.segments.byKey[key]; ok && seg.held() {
			r.missing(seg, nil)
		}
	}
}
