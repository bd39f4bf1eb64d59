package rendition

import (
	"fmt"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

var errTooManySegments = fmt.Errorf("more than %d segments in all playlists together", MaxSegments)

// follow keeps the playlist fresh for as long as the rendition lives.
func (r *Rendition) follow() {
	pace := manifest.Player
	if r.shared.Settings.Seeder {
		pace = manifest.Ahead
	}
	wait := backoff.New(250*time.Millisecond, 5*time.Second)
	for {
		options := manifest.FollowOptions{Pace: pace, LookOn: true, Refused: r.reread, Expect: r.awaited}
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
	if r.core.Awaits(p) {
		return // the old event's
	}
	r.core.Suspect(false)
	if r.playlistError != "" {
		r.originLog.Info("playlist is refreshed again")
		r.playlistError = ""
		r.core.Failing(false)
	}
	if !r.segments.fits(len(p.Segments)) {
		r.refreshFailed(errTooManySegments)
		return
	}
	r.core.Merge(p, time.Now())
}

func (r *Rendition) refreshFailed(err error) {
	if r.playlistError == "" {
		r.originLog.Warn("refreshing playlist failed, trying again", "error", err)
	}
	r.playlistError = err.Error()
	if manifest.NewEventSuspected(err) {
		r.core.Suspect(true)
	}
	r.shared.Counters.PlaylistErrors.Add(1)
	r.core.Failing(true)
}
