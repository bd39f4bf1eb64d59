package rendition

import "time"

// Status describes a rendition at one moment.
type Status struct {
	Name        string
	Live        bool
	HeldEdge    int64 // media sequence of the newest segment held; -1 if none
	NewestKnown int64 // media sequence of the newest segment published; -1 if none
	Held        int   // segments of the playlist held
	Known       int   // segments in the playlist
	Peers       int
	Announced   int    // segments that peers announce
	Waits       int    // players' requests that wait for bytes
	HeldBack    int    // segments held back, counted for each peer
	Groups      int    // of peers from which segments are held back
	GroupsOff   int    // of them that are off, because they do not share
	Error       string // why its playlist cannot be refreshed; empty if it is
}

// Status returns what the owner last reported.
func (r *Rendition) Status() Status { return *r.status.Load() }

func (r *Rendition) report(now time.Time) {
	s := Status{
		Name: r.info.Name, HeldEdge: -1, NewestKnown: -1, Peers: len(r.sessions), Error: r.playlistError,
		Waits: r.core.Waiting(),
	}
	s.HeldBack, s.Groups, s.GroupsOff = r.announcer.counted.HeldBack, r.announcer.counted.Groups, r.announcer.counted.Off
	if p := r.core.Playlist(); p != nil {
		s.Live = p.Live
	}
	for _, p := range r.sessions {
		s.Announced += p.Announced().Len()
	}
	for _, seg := range r.core.Segments() {
		if !seg.InPlaylist() {
			continue
		}
		s.Known++
		s.NewestKnown = max(s.NewestKnown, seg.Sequence)
		if seg.Held() {
			s.Held++
			s.HeldEdge = max(s.HeldEdge, seg.Sequence)
		}
	}
	r.status.Store(&s)
	r.core.Buffered(now)
}
