package onecopy

import (
	"maps"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// link is one end of a connection: what one member knows of another.
type link struct {
	of, to *member
	back   *link // the other end
	closed bool

	said    *core.Announcement
	claims  map[int64]time.Time
	speed   int64
	request *request
}

// request asks the member at the other end for a segment.
type request struct {
	seg     *core.Segment
	attempt int64
	since   time.Time
}

// ID is the peer's.
func (l *link) ID() identity.PeerID { return l.to.id }

// Generation is the same for all.
func (l *link) Generation() identity.Generation { return generation }

// Seeder tells whether the peer is one.
func (l *link) Seeder() bool { return l.to.seeder }

// Origin says that seeders share their work.
func (l *link) Origin() signaling.Origin {
	return signaling.Origin{Shares: l.of.seeder && l.to.seeder}
}

// Speed is that of the last delivery.
func (l *link) Speed() int64 { return l.speed }

// Announced is what the peer said last.
func (l *link) Announced() *core.Announcement { return l.said }

// Flight is the request that runs.
func (l *link) Flight() (schedule.Flight, bool) {
	if l.request == nil {
		return schedule.Flight{Remaining: -1}, false
	}
	return schedule.Flight{Since: l.request.since, Remaining: size}, true
}

// Cancel ends it: a segment comes as a whole or not at all.
func (l *link) Cancel() (data []byte, total int64, running bool) {
	running = l.request != nil
	l.request = nil
	return nil, -1, running
}

// Blame closes a connection to a peer that does not deliver.
func (l *link) Blame(unreliable bool) {
	if unreliable {
		l.of.w.after(0, l.close)
	}
}

// Convict is for bytes that are not the origin's. There are none.
func (l *link) Convict() {}

// ask asks the peer for a segment. Peers send one after the other.
func (l *link) ask(seg *core.Segment, now time.Time) {
	r := &request{seg, seg.Attempt, now}
	l.request = r
	w, peer := l.of.w, l.to
	w.after(delay, func() {
		if peer.gone || l.request != r {
			return // it is silent
		}
		if other := peer.core.ByKey(seg.Key); other == nil || !other.Held() {
			w.after(delay, func() { l.answer(r, core.Answer{Total: -1, Blame: true}) })
			return
		}
		if peer.free.Before(w.now) {
			peer.free = w.now
		}
		peer.free = peer.free.Add(peerTransfer)
		w.after(peer.free.Sub(w.now)+delay, func() {
			if !peer.gone {
				l.speed = int64(size / w.now.Sub(r.since).Seconds())
				l.answer(r, core.Answer{Data: bytesOf(seg), Total: size, Whole: true})
			}
		})
	})
}

// answer ends a request.
func (l *link) answer(r *request, a core.Answer) {
	if l.request != r || l.of.gone {
		return
	}
	l.request, a.Attempt = nil, r.attempt
	l.of.core.Answered(l, r.seg, a, l.of.w.now)
	l.of.wake()
}

// hear takes what the peer announces. A claim that is made again keeps its age.
func (l *link) hear(loaded map[int64]struct{}, loading []int64, now time.Time) {
	claims := make(map[int64]time.Time, len(loading))
	for _, id := range loading {
		claims[id] = now
		if since, ok := l.claims[id]; ok {
			claims[id] = since
		}
	}
	l.claims, l.said = claims, core.NewAnnouncement(loaded, maps.Clone(claims))
	l.of.wake()
}

// close ends a connection on both sides.
func (l *link) close() {
	for _, end := range []*link{l, l.back} {
		if end.closed {
			continue
		}
		end.closed = true
		m := end.of
		m.part(end)
		if r := end.request; r != nil && !m.gone {
			end.answer(r, core.Answer{Total: -1})
		}
	}
}
