package rendition

import (
	"fmt"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// minRetired is how many segments that have left a playlist are still known, at least.
const minRetired = 1024

var errTooManySegments = fmt.Errorf("more than %d segments in all playlists together", MaxSegments)

// follow keeps the playlist fresh for as long as the rendition lives.
func (r *Rendition) follow() {
	pace := manifest.Player
	if r.shared.Settings.Seeder {
		pace = manifest.Ahead
	}
	wait := backoff.New(250*time.Millisecond, 5*time.Second)
	for {
		options := manifest.FollowOptions{Pace: pace, LookOn: true, Refused: r.refusals.asked, Expect: r.awaited}
		if r.shared.Settings.OnDemand {
			options.Reload, options.Loading, options.Loaded = r.playlists.Reload(), r.playlists.Loading, r.playlists.Loaded
			options.EveryText = true
		}
		err := r.shared.Source.FollowWith(r.ctx, r.info, options, func(p *manifest.Playlist, err error) {
			if err == nil && p.Restarted {
				r.event.until.Store(0)
			}
			// The owner gets it first: players may ask for its segments as soon as they see it.
			r.mail.Post(func() { r.refreshed(p, err) })
			if err == nil {
				r.playlists.Set(p)
			}
		})
		if r.ctx.Err() != nil {
			return
		}
		r.mail.Post(func() { r.refreshed(nil, err) })
		if !wait.Sleep(r.ctx) {
			return
		}
	}
}

// refreshed takes a new playlist, or the error of its refresh.
func (r *Rendition) refreshed(p *manifest.Playlist, err error) {
	if err != nil {
		r.refreshFailed(err)
		return
	}
	if r.event.unseen && !p.Restarted {
		return // the old event's
	}
	r.suspect(false)
	if r.playlistError != "" {
		r.originLog.Info("playlist is refreshed again")
		r.playlistError = ""
	}
	if !r.segments.fits(len(p.Segments)) {
		r.refreshFailed(errTooManySegments)
		return
	}
	r.merge(p, time.Now())
}

func (r *Rendition) refreshFailed(err error) {
	if r.playlistError == "" {
		r.originLog.Warn("refreshing playlist failed, trying again", "error", err)
	}
	r.playlistError = err.Error()
	if manifest.NewEventSuspected(err) {
		r.suspect(true)
	}
	r.shared.Counters.PlaylistErrors.Add(1)
	r.announcer.dirty = true // an expected segment is no longer expected
}

// merge takes a new playlist: new segments are added, those that left it retire.
func (r *Rendition) merge(p *manifest.Playlist, now time.Time) {
	if p.Restarted && p != r.playlist {
		r.begin(now)
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
		if old, ok := r.segments.byKey[key]; ok {
			old.retired = time.Time{}
			r.renamed(old, m)
			old.Segment = m
			continue
		}
		seg := newSegment(m, key)
		if r.shared.Store.Has(key) {
			seg.state = schedule.Held
		}
		r.segments.add(seg)
		fresh = true
	}
	for _, seg := range r.segments.order {
		if !inPlaylist[seg.key] && seg.inPlaylist() {
			seg.retired = now
		}
	}
	if fresh {
		r.newestAt = now
		r.learn()
	}
	if !p.Live && r.playhead != nil && len(p.Segments) > 0 {
		last := p.Segments[len(p.Segments)-1]
		r.playhead.clock.SetEnd(last.Start + last.Duration - p.Segments[0].Start)
	}
	r.segments.clarify(p, r.shared.Settings.Generations)
	r.endsAt(p)
	r.announcer.dirty = true
}

// learn tells connections which ids are of use.
func (r *Rendition) learn() {
	entries := 0
	if r.playlist.Live && !r.playlist.ByTime {
		entries = r.playlist.Entries
	}
	for _, g := range r.shared.Settings.Generations {
		r.index.Learn(g, r.segments.ids(g), r.segments.step(g), entries)
	}
}

func (r *Rendition) drop(seg *segment) {
	r.giveUp(seg)
	r.answer(seg, nil, ondemand.ErrGone)
	r.shared.Store.Remove(seg.key)
	r.segments.remove(seg)
	r.announcer.dirty = true
}

// retire drops segments that left the playlist two target durations ago: until
// then players that refresh late may still want them.
func (r *Rendition) retire(now time.Time) {
	if r.playlist == nil {
		return
	}
	keep := 2 * r.playlist.TargetDuration
	if r.shared.Settings.OnDemand {
		// Players may ask for a segment as long after it left the playlist as the playlist is (RFC 8216 §6.2.2).
		keep = max(keep, r.playlist.Window)
	}
	// A playlist with other segments at each load must not fill the memory with those that have left it.
	excess := len(r.segments.order) - len(r.playlist.Segments) - max(minRetired, len(r.playlist.Segments))
	kept := r.segments.order[:0]
	for _, seg := range r.segments.order {
		switch {
		case excess > 0 && !seg.inPlaylist():
			r.drop(seg)
			excess--
		case seg.inPlaylist(), now.Sub(seg.retired) < keep, r.toBePlayed(seg, now), seg.requests.Len() > 0:
			kept = append(kept, seg)
		default:
			r.drop(seg)
		}
	}
	clear(r.segments.order[len(kept):])
	r.segments.order = kept
	r.segments.count(len(kept))
}
