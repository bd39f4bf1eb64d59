package rendition

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/superseed"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// announcer knows what peers were told. The rendition's owner has it.
type announcer struct {
	last      map[identity.Generation]*encoded
	versions  int           // of all announcements
	expecting *core.Segment // newest segment whose successor is announced as on its way
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
	if r.shared.Settings.UploadDisabled || r.core.Playlist() == nil {
		return
	}
	expected := r.core.Expected(now)
	changed := (r.core.Changed || expected != r.announcer.expecting) && !r.announcer.rests(now, r.wake)
	if changed {
		r.core.Changed, r.announcer.expecting = false, expected
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
func (r *Rendition) update(g identity.Generation, expected *core.Segment) bool {
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
	if r.core.Silent() {
		r.index.SetHeld(g, map[int64]store.Key{})
		return &encoded{}
	}
	out := &encoded{places: make(map[int64]uint64)}
	ids := make(map[int64]store.Key, len(r.core.Segments()))
	for _, seg := range r.core.Segments() {
		switch id := seg.ID(g); r.core.Announced(seg, g) {
		case schedule.Loaded:
			if _, taken := ids[id]; taken {
				continue // two segments with one id: the first is what players know
			}
			ids[id] = seg.Key
			out.loaded = append(out.loaded, id)
			if r.announcer.inWindow(seg.Sequence) {
				out.places[id] = superseed.Bit(seg.Sequence)
			}
		case schedule.Loading:
			out.loading = append(out.loading, id)
		}
	}
	r.index.SetHeld(g, ids)
	return out
}

// withdraw tells peers that nothing is held and nothing on its way. Requests are
// answered as before, since some were sent before this arrives.
func (r *Rendition) withdraw() {
	if r.leaving {
		return
	}
	r.leaving = true
	r.core.Withdraw()
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
