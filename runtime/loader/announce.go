package loader

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// announced is what peers of one generation were told last.
type announced struct {
	loaded, loading []int64
	chunks          [][]byte
}

// announce tells all peers what is held and what is on its way, if that
// changed. Each announcement is the full state.
func (r *rendition) announce(now time.Time) {
	if r.e.cfg.UploadDisabled || r.playlist == nil {
		return
	}
	expected, due := r.expected(now)
	if !r.dirty && !due {
		return
	}
	r.dirty = false
	for _, g := range r.e.cfg.Generations {
		loaded, loading := r.announceable(g)
		if expected != nil {
			loading = append(loading, expected.ID(g)+1)
		}
		last := r.announced[g]
		if last.chunks != nil && slices.Equal(last.loaded, loaded) && slices.Equal(last.loading, loading) {
			continue
		}
		chunks, err := wire.Encode(wire.Command{Code: wire.SegmentsAnnouncement, Loaded: loaded, Loading: loading}, r.e.cfg.MaxMessageSize)
		if err != nil {
			r.log.Error("encoding announcement", "error", err)
			continue
		}
		r.announced[g] = announced{loaded: loaded, loading: loading, chunks: chunks}
		for _, s := range r.sessions {
			if s.generation == g {
				s.sendChunks(chunks)
			}
		}
	}
}

// announceable lists the ids held and on their way, and points requests at the
// bytes before anybody can ask for them.
func (r *rendition) announceable(g identity.Generation) (loaded, loading []int64) {
	ids := make(map[int64]store.Key, len(r.segments))
	for _, seg := range r.segments {
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

// expected returns the newest segment if its successor may be announced as on
// its way, and whether that differs from the last answer.
func (r *rendition) expected(now time.Time) (newest *segment, changed bool) {
	if r.e.cfg.Role == RoleSeeder && r.playlist.Live && !r.playlist.Ended && len(r.segments) > 0 {
		last := r.segments[len(r.segments)-1]
		failed := r.playError != "" || last.failures > 0
		if schedule.ExpectedNext(r.newestAt, last.Duration, r.playlist.TargetDuration, failed, now) {
			newest = last
		}
	}
	changed = newest != r.expecting
	r.expecting = newest
	return newest, changed
}
