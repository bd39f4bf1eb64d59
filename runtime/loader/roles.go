package loader

import (
	"math/rand/v2"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// Simultaneous fetches of one rendition's seeder, and how full the store may
// be before a VOD seeder fetches only what viewers are about to want.
const (
	seederSlots = 4
	fullPercent = 95
	aheadOfThem = 8 // segments
)

// seed fetches what a seeder should hold.
func (r *rendition) seed(now time.Time) {
	if r.resting(now) {
		return
	}
	live := r.playlist.Live
	wanted := r.wanted()
	full := false
	if st := r.e.store.Stats(); !live && st.Bytes >= st.Limit/100*fullPercent {
		full = true
	}
	view := schedule.SeederView{Now: now, Live: live, Slots: seederSlots, Wanted: wanted}
	var segs []*segment
	for _, seg := range r.segments {
		if !seg.retired.IsZero() || seg.Gap {
			continue
		}
		if full && (seg.Sequence < wanted || seg.Sequence >= wanted+aheadOfThem) {
			continue
		}
		segs = append(segs, seg)
		view.Segments = append(view.Segments, schedule.Segment{ID: seg.Sequence, State: seg.state, RetryAt: seg.retryAt})
	}
	for _, i := range schedule.Seeder(view) {
		r.fetch(segs[i], now)
	}
}

// wanted is the media sequence that the viewer who is furthest behind will
// want next, judged by what viewers announce; the first one without viewers.
func (r *rendition) wanted() int64 {
	if len(r.segments) == 0 {
		return 0
	}
	first := r.segments[0].Sequence
	position := make(map[identity.Generation]map[int64]int64, len(r.e.cfg.Generations))
	wanted, known := first, false
	for _, s := range r.sessions {
		a := s.announced.Load()
		if a == nil || len(a.loaded) == 0 {
			continue
		}
		ids := position[s.generation]
		if ids == nil {
			ids = make(map[int64]int64, len(r.segments))
			for _, seg := range r.segments {
				ids[seg.ID(s.generation)] = seg.Sequence
			}
			position[s.generation] = ids
		}
		newest := first - 1
		for id := range a.loaded {
			if sequence, ok := ids[id]; ok && sequence > newest {
				newest = sequence
			}
		}
		if next := newest + 1; !known || next < wanted {
			wanted, known = next, true
		}
	}
	return wanted
}

// view fetches and requests what a viewer is going to play.
func (r *rendition) view(now time.Time) {
	v := schedule.View{
		Now: now, Limits: r.e.cfg.Limits, Random: rand.Float64,
		Lottery: func(id int64) float64 { return lottery(r.e.seed, id) },
	}
	if r.e.demand == nil {
		v.Playhead = r.playhead(now)
	}
	if len(r.e.cfg.Trackers) > 0 {
		v.WaitUntil = r.joinedAt.Add(r.hopeful(now))
		v.HopeUntil = r.joinedAt.Add(r.e.cfg.StartupHope)
	}
	hope := now.Add(-max(leastLoading, loadingTarget*r.playlist.TargetDuration))
	peers := make(map[*session]int, len(r.sessions))
	for i, s := range r.sessions {
		peers[s] = i
		ids, a := s.generation, s.announced.Load()
		_, _, _, _, busy := s.flight()
		if !s.believed(now) {
			a = nil
		}
		v.Peers = append(v.Peers, schedule.Peer{
			Seeder: s.seeder, Busy: busy, Speed: float64(s.speed.Load()),
			Holds: func(sequence int64) schedule.Holding { return a.holding(r.externalID(sequence, ids), hope) },
		})
	}
	var segs []*segment
	for _, seg := range r.segments {
		if seg.Gap || (!seg.retired.IsZero() && seg.state == schedule.Missing && len(seg.waits) == 0) {
			continue
		}
		segs = append(segs, seg)
		v.Segments = append(v.Segments, r.scheduled(seg, peers))
	}
	if r.e.demand != nil {
		v.Needs = r.needs(segs, v.Segments, now)
	}
	for _, a := range schedule.Viewer(v) {
		seg := segs[a.Segment]
		switch a.Kind {
		case schedule.Abandon:
			r.abandon(seg, now)
		case schedule.Fetch:
			r.fetch(seg, now)
		case schedule.Request:
			if seg.state == schedule.Fetching {
				continue // just abandoned: as soon as its bytes are here
			}
			s := r.sessions[a.Peer]
			held := seg.partial
			seg.state, seg.from, seg.partial = schedule.Requested, s, nil
			s.startDownload(seg, seg.ID(s.generation), held, seg.total, now)
		}
	}
}

func (r *rendition) scheduled(seg *segment, peers map[*session]int) schedule.Segment {
	out := schedule.Segment{
		ID: seg.Sequence, Start: seg.Start, Duration: seg.Duration,
		State: seg.state, RetryAt: seg.retryAt, NotFrom: -1,
	}
	if i, ok := peers[seg.notFrom]; ok && seg.notFrom != nil {
		out.NotFrom = i
	}
	if a := seg.arriving.Load(); a != nil && seg.state == schedule.Fetching {
		out.Flight = schedule.Flight{Peer: -1, Since: seg.since, LastBytes: a.at, Received: a.received, Remaining: a.remaining}
	}
	if seg.state == schedule.Requested {
		since, last, received, remaining, _ := seg.from.flight()
		out.Flight = schedule.Flight{
			Peer: peers[seg.from], Since: since, LastBytes: last, Received: received, Remaining: remaining,
		}
	}
	return out
}

// externalID maps a media sequence to a generation's segment id.
func (r *rendition) externalID(sequence int64, g identity.Generation) int64 {
	if seg := r.bySeq[sequence]; seg != nil {
		return seg.ID(g)
	}
	return -1
}

// abandon ends a transfer that is too slow, so that somebody else can be asked to continue it. A player may be reading
// what has come. Bytes of the origin are with the connection's reader, who brings them in a moment; see fetched.
func (r *rendition) abandon(seg *segment, now time.Time) {
	if seg.state == schedule.Fetching {
		seg.stop()
		return
	}
	from := seg.from
	data, total := from.cancelDownload()
	r.keep(seg, data, total)
	seg.notFrom, seg.from = from, nil
	from.blame(now)
}

// playhead is the presentation time being played. A viewer starts LiveDelay
// behind the live edge, and jumps if the window has moved past it.
func (r *rendition) playhead(now time.Time) time.Duration {
	segs := r.playlist.Segments
	if len(segs) == 0 {
		return 0
	}
	played := r.e.playback.Position(now)
	if !r.based {
		r.based = true
		r.base = segs[0].Start - played
		if r.playlist.Live {
			r.base = r.liveStart() - played
		}
	}
	position := r.base + played
	if r.playlist.Live && position < segs[0].Start && !r.heldAt(position) {
		r.originLog.Warn("playback fell out of the live window, jumping to its start")
		r.base = segs[0].Start - played
		position = segs[0].Start
	}
	return position
}

// liveStart is the start of the segment that lies LiveDelay behind the edge.
func (r *rendition) liveStart() time.Duration {
	segs := r.playlist.Segments
	last := segs[len(segs)-1]
	target := r.playlist.TargetDuration
	delay := r.e.cfg.LiveDelay
	if delay == 0 {
		count := r.playlist.LiveSyncSegments()
		if c := r.e.cfg.LiveDelaySegments; c > 0 {
			count = c
		}
		delay = time.Duration(count) * target
	}
	goal := last.Start + last.Duration - delay
	start := segs[0].Start
	for _, s := range segs {
		if s.Start <= goal {
			start = s.Start
		}
	}
	return start
}

func (r *rendition) heldAt(position time.Duration) bool {
	for _, seg := range r.segments {
		if seg.Start <= position && position < seg.Start+seg.Duration {
			return seg.held()
		}
	}
	return false
}

// needed tells whether a retired segment is still to be played.
func (r *rendition) needed(seg *segment, now time.Time) bool {
	return r.track != nil && r.based && seg.held() && seg.Start+seg.Duration > r.base+r.e.playback.Position(now)
}

// reportBuffered tells the playback how far this rendition can be played.
func (r *rendition) reportBuffered(now time.Time) {
	if !r.based {
		return
	}
	position := r.playhead(now)
	until := position
	for _, seg := range r.segments {
		end := seg.Start + seg.Duration
		if end <= until {
			continue
		}
		// Durations in playlists are rounded: a seam of a few milliseconds is no hole.
		const seam = 100 * time.Millisecond
		if seg.Start > until+seam || (!seg.held() && !seg.Gap) {
			break
		}
		until = end
	}
	r.e.playback.SetBuffered(r.track, until-r.base, now)
}
