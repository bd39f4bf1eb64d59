package proxy

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"
)

const (
	mpdName = "manifest.mpd"
	mpdType = "application/dash+xml"
)

// mpds are the newest states of an MPD, and the renditions that they name.
type mpds struct {
	mu         sync.Mutex
	from       *manifest.Presentation
	states     []*dash.Rewritten // the newest first
	renditions map[string]*playlist
}

// keptStates is how many states of an MPD are looked into: players ask for what an older one named.
const keptStates = 3

// rewrite makes the MPD for a player. base is the URL of the player's folder.
func (m *mpds) rewrite(from *manifest.Presentation, base string) ([]byte, error) {
	state, err := from.MPD().Rewrite(base, base+mpdName)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.from != from || len(m.states) == 0 {
		m.from = from
		m.states = append([]*dash.Rewritten{state}, m.states[:min(len(m.states), keptStates-1)]...)
		m.learn(from)
	}
	return state.Text, nil
}

// learn keeps the renditions that are named; m is locked.
func (m *mpds) learn(from *manifest.Presentation) {
	renditions := make(map[string]*playlist, len(from.Renditions))
	for _, r := range from.Renditions {
		l := m.renditions[r.Name]
		if l == nil || l.uri != r.URI {
			l = newPlaylist(r.URI, r, true)
		}
		renditions[r.Name] = l
	}
	m.renditions = renditions
}

// find tells what a file in a directory stands for, and the rendition that it is of; nil if peers do not share it.
func (m *mpds) find(directory, file string) (target dash.Target, l *playlist, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, state := range m.states {
		if target, ok = state.Find(directory, file); ok {
			return target, m.renditions[target.Rendition], true
		}
	}
	return dash.Target{}, nil, false
}

// mpdAge is how old an MPD may be that a player gets.
func mpdAge(p *manifest.Presentation) time.Duration {
	mpd := p.MPD()
	if !mpd.Dynamic || mpd.MinimumUpdate < 0 {
		return masterAge
	}
	return min(max(mpd.MinimumUpdate, time.Second), masterAge)
}

// Formats of the stream.
const (
	formatUnknown = iota
	formatHLS
	formatDASH
)

// learnFormat notes the format of the stream.
func (s *Server) learnFormat(p *manifest.Presentation) {
	format := int32(formatHLS)
	if p.MPD() != nil {
		format = formatDASH
	}
	s.format.Store(format)
}

// tellFormat says what players are to open, once that is known.
func (s *Server) tellFormat(ctx context.Context) {
	if s.awaitStream(ctx) != nil {
		return
	}
	p, err := s.client.Engine().Presentation(ctx, time.Hour)
	if err != nil {
		return // ctx ended first
	}
	s.learnFormat(p)
	if p.MPD() != nil {
		s.log.Info("the stream is MPEG-DASH", "url", s.URL())
	}
}

// isDASH tells whether the stream is MPEG-DASH, and waits until that is known.
func (h *handler) isDASH(ctx context.Context) (bool, error) {
	if h.s.format.Load() == formatUnknown {
		if _, err := h.known(ctx, "the manifest"); err != nil {
			return false, err
		}
	}
	return h.s.format.Load() == formatDASH, nil
}

// known returns the presentation, as old as it is.
func (h *handler) known(ctx context.Context, what string) (*manifest.Presentation, error) {
	ctx, cancel := context.WithTimeout(ctx, masterPatience)
	defer cancel()
	if err := h.s.awaitStream(ctx); err != nil {
		return nil, explain(what, err)
	}
	p, err := h.s.client.Engine().Presentation(ctx, 24*time.Hour)
	if err != nil {
		return nil, explain(what, err)
	}
	h.s.learnFormat(p)
	return p, nil
}

// mpdText returns the MPD for a player.
func (h *handler) mpdText(r *http.Request, player string) ([]byte, error) {
	const what = "the MPD"
	p, err := h.known(r.Context(), what)
	if err != nil {
		return nil, err
	}
	if p.MPD() == nil {
		return nil, notFound("this stream is HLS; open /master.m3u8")
	}
	ctx, cancel := context.WithTimeout(r.Context(), masterPatience)
	defer cancel()
	if p, err = h.s.client.Engine().Presentation(ctx, mpdAge(p)); err != nil {
		return nil, explain(what, err)
	}
	if p.MPD() == nil {
		return nil, notFound("this stream has become HLS; open /master.m3u8")
	}
	host := r.Host
	if host == "" {
		host = h.s.addr.String()
	}
	text, err := h.s.mpds.rewrite(p, "http://"+host+"/p/"+player+"/")
	if err != nil {
		return nil, explain(what, err)
	}
	return text, nil
}

// mpd answers with the MPD.
func (h *handler) mpd(w *writer, r *http.Request, player string) error {
	text, err := h.mpdText(r, player)
	if err != nil {
		return err
	}
	w.body(r, mpdType, text, "", cacheNever)
	return nil
}
