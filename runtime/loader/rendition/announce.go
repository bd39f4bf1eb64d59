package rendition

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/superseed"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// announcer knows what peers were told. The rendition's owner has it.
type announcer struct {
	dirty     bool // what is announced may have changed
	last      map[identity.Generation]*encoded
	versions  int      // of all announcements
	expecting *segment // newest segment whose successor is announced as on its way
	spreading
	pace
}

// encoded is the last announcement to peers of one generation.
type encoded struct {
	version         int
	loaded, loading []int64
	places          map[int64]uint64 // of the held segments that may be held back, by id; see superseed.Bit
	messages        [][]byte
	variants        map[uint64][][]byte // with some of them held back
}

// announce tells all peers what is held and what is on its way, if that
// changed. Each announcement is the full state.
func (r *Rendition) announce(now time.Time) {
	if r.shared.Settings.UploadDisabled || r.playlist == nil {
		return
	}
	expected := r.expected(now)
	changed := (r.announcer.dirty || expected != r.announcer.expecting) && !r.announcer.rests(now, r.wake)
	if changed {
		r.announcer.dirty, r.announcer.expecting = false, expected
	}
	r.spread(changed, now)
	if changed {
		for _, g := range r.shared.Settings.Generations {
			if !r.update(g, expected) {
				continue
			}
			for _, s := range r.sessions {
				if s.Generation() == g {
					r.announceTo(s, now)
					r.announcer.sent(r.announcer.last[g].messages, now)
				}
			}
		}
	}
	r.tellChanged(now)
}

// update encodes what peers of a generation are told, and returns false if it is the same as before.
func (r *Rendition) update(g identity.Generation, expected *segment) bool {
	next := r.announceable(g)
	if expected != nil {
		next.loading = append(next.loading, expected.NextID(g))
	}
	last := r.announcer.last[g]
	if last != nil && slices.Equal(last.loaded, next.loaded) && slices.Equal(last.loading, next.loading) {
		last.places, last.variants = next.places, nil
		return false
	}
	var err error
	next.messages, err = r.encode(wire.Command{Code: wire.SegmentsAnnouncement, Loaded: next.loaded, Loading: next.loading})
	if err != nil {
		r.log.Error("encoding announcement failed", "error", err)
		return false
	}
	r.announcer.keep(g, next)
	return true
}

// keep makes an announcement the one that peers of a generation get.
func (a *announcer) keep(g identity.Generation, next *encoded) {
	a.versions++
	next.version = a.versions
	a.last[g] = next
}

// announceTo sends a peer what it is to know.
func (r *Rendition) announceTo(s *session.Session, now time.Time) {
	last := r.announcer.last[s.Generation()]
	if l := r.announcer.listeners[s]; l != nil {
		r.tellListener(s, l, last, now)
	} else if last != nil {
		s.SendEncoded(last.messages)
	}
}

func (r *Rendition) encode(c wire.Command) ([][]byte, error) {
	return wire.Encode(c, r.shared.Settings.MaxMessageSize)
}

// announceable lists the ids held and on their way, and makes the held ones
// available to requests before peers can learn of them.
func (r *Rendition) announceable(g identity.Generation) *encoded {
	if r.silent() {
		r.index.SetHeld(g, map[int64]store.Key{})
		return &encoded{}
	}
	out := &encoded{places: make(map[int64]uint64)}
	ids := make(map[int64]store.Key, len(r.segments.order))
	for _, seg := range r.segments.order {
		if !seg.clear(g) {
			continue
		}
		switch id := seg.ID(g); seg.state {
		case schedule.Held:
			if _, taken := ids[id]; taken {
				continue // two segments with one id: the first is what players know
			}
			ids[id] = seg.key
			out.loaded = append(out.loaded, id)
			if r.announcer.inWindow(seg.Sequence) {
				out.places[id] = superseed.Bit(seg.Sequence)
			}
		case schedule.Fetching:
			out.loading = append(out.loading, id)
		default:
			if r.filling.comes(seg) || r.passesOn(seg) {
				out.loading = append(out.loading, id)
			}
		}
	}
	r.index.SetHeld(g, ids)
	return out
}

// passesOn tells whether a segment that a peer is sending is announced as on its way: by a seeder always, and by a viewer in a live
// stream without seeders, where the news that one viewer is fetching a segment must be faster than the turns of those that it is not connected with.
func (r *Rendition) passesOn(seg *segment) bool {
	return seg.state == schedule.Requested && (r.shared.Settings.Seeder || r.playlist.Live && r.electing())
}

// expected returns the newest segment if its successor may be announced as on its way; nil otherwise.
func (r *Rendition) expected(now time.Time) *segment {
	if !r.shared.Settings.Seeder || r.silent() || !r.playlist.Live || r.playlist.Ended || len(r.segments.order) == 0 {
		return nil
	}
	last := r.segments.order[len(r.segments.order)-1]
	failed := r.playlistError != "" || last.failures > 0
	if !schedule.ExpectedNext(r.newestAt, last.Duration, r.playlist.TargetDuration, failed, now) {
		return nil
	}
	return last
}

// withdraw tells peers that nothing is held and nothing on its way. Requests are
// answered as before, since some were sent before this arrives.
func (r *Rendition) withdraw() {
	if r.leaving {
		return
	}
	r.leaving = true
	if r.shared.Settings.Seeder {
		for _, seg := range r.segments.order {
			if seg.state == schedule.Fetching || seg.state == schedule.Requested {
				r.giveUp(seg) // it would not be announced any more
			}
		}
	}
	if r.shared.Settings.UploadDisabled {
		return // nothing was announced
	}
	nothing, err := r.encode(wire.Command{Code: wire.SegmentsAnnouncement})
	if err != nil {
		r.log.Error("encoding announcement failed", "error", err)
		return
	}
	r.announcer.end()
	for _, g := range r.shared.Settings.Generations {
		r.announcer.keep(g, &encoded{messages: nothing})
	}
	for _, s := range r.sessions {
		s.SendEncoded(nothing)
	}
}
