package rendition

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// announcer knows what peers were told. The rendition's owner has it.
type announcer struct {
	dirty     bool // what is announced may have changed
	last      map[identity.Generation]encoded
	expecting *segment // newest segment whose successor is announced as on its way
	pace
}

// encoded is the last announcement to peers of one generation.
type encoded struct {
	loaded, loading []int64
	messages        [][]byte
}

// announce tells all peers what is held and what is on its way, if that
// changed. Each announcement is the full state.
func (r *Rendition) announce(now time.Time) {
	if r.shared.Settings.UploadDisabled || r.playlist == nil {
		return
	}
	expected := r.expected(now)
	if !r.announcer.dirty && expected == r.announcer.expecting {
		return
	}
	if r.announcer.rests(now, r.wake) {
		return
	}
	r.announcer.dirty, r.announcer.expecting = false, expected
	for _, g := range r.shared.Settings.Generations {
		loaded, loading := r.announceable(g)
		if expected != nil {
			loading = append(loading, expected.ID(g)+1)
		}
		last := r.announcer.last[g]
		if last.messages != nil && slices.Equal(last.loaded, loaded) && slices.Equal(last.loading, loading) {
			continue
		}
		messages, err := r.encode(wire.Command{Code: wire.SegmentsAnnouncement, Loaded: loaded, Loading: loading})
		if err != nil {
			r.log.Error("encoding announcement failed", "error", err)
			continue
		}
		r.announcer.last[g] = encoded{loaded: loaded, loading: loading, messages: messages}
		for _, s := range r.sessions {
			if s.Generation() == g {
				s.SendEncoded(messages)
				r.announcer.sent(messages, now)
			}
		}
	}
}

func (r *Rendition) encode(c wire.Command) ([][]byte, error) {
	return wire.Encode(c, r.shared.Settings.MaxMessageSize)
}

// announceable lists the ids held and on their way, and makes the held ones
// available to requests before peers can learn of them.
func (r *Rendition) announceable(g identity.Generation) (loaded, loading []int64) {
	if r.silent() {
		r.index.SetHeld(g, map[int64]store.Key{})
		return nil, nil
	}
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
			loaded = append(loaded, id)
		case schedule.Fetching:
			loading = append(loading, id)
		}
	}
	r.index.SetHeld(g, ids)
	return loaded, loading
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
			if seg.state == schedule.Fetching {
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
	for _, g := range r.shared.Settings.Generations {
		r.announcer.last[g] = encoded{messages: nothing}
	}
	for _, s := range r.sessions {
		s.SendEncoded(nothing)
	}
}
