package proxy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// handler serves players.
type handler struct {
	s        *Server
	slots    chan struct{}
	warnings rate.Sometimes
}

// ServeHTTP checks the host name of a request and bounds how many are served at
// a time.
func (h *handler) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w := newWriter(rw, h.s.writeTimeout)
	kind := kindOther
	defer func() { h.s.metrics.answered(kind, w.code(), w.sent) }()
	if !h.s.hosts.allowed(r) {
		h.s.metrics.refused.WithLabelValues("host").Inc()
		w.problem(&problem{status: http.StatusForbidden,
			text: fmt.Sprintf("this proxy does not serve the host name %q; add it with --allow-host", r.Host)})
		return
	}
	shareWithPages(w.Header())
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close") // what follows is not read
		w.problem(&problem{status: http.StatusBadRequest, text: "requests with a body are not supported"})
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		preflight(w, r)
		return
	default:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		w.problem(&problem{status: http.StatusMethodNotAllowed, text: "use GET, HEAD or OPTIONS"})
		return
	}
	if strings.Count(r.Header.Get("Range"), ",") >= maxRanges {
		r.Header.Del("Range") // RFC 9110 §14.2: a server may ignore it
		h.s.metrics.refused.WithLabelValues("ranges").Inc()
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		h.s.metrics.refused.WithLabelValues("requests").Inc()
		w.problem(explain("this request", errTooManyRequests))
		return
	}
	h.s.metrics.inFlight.Inc()
	defer h.s.metrics.inFlight.Dec()
	var err error
	kind, err = h.route(w, r)
	if err != nil && r.Context().Err() == nil {
		p := explain(clip(r.URL.Path), err)
		if p.status >= http.StatusInternalServerError {
			h.warnings.Do(func() {
				h.s.log.Warn("player's request failed", "path", clip(r.URL.Path), "status", p.status, "reason", p.text)
			})
		}
		w.problem(p)
	}
}

// shareWithPages lets any page of the browser play: the user may see what this
// proxy serves anyway.
func shareWithPages(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Content-Length, Content-Range, Accept-Ranges, ETag, Date")
	h.Set("Timing-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
}

func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Range, If-Range, If-None-Match, If-Modified-Since, Cache-Control")
	h.Set("Access-Control-Max-Age", "86400")
	if r.Header.Get("Access-Control-Request-Private-Network") != "" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	w.WriteHeader(http.StatusNoContent)
}

// route answers a request, or returns an error.
func (h *handler) route(w *writer, r *http.Request) (kind string, err error) {
	switch r.URL.Path {
	case "/":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "p2pstream plays a stream here. Open /"+h.s.start()+" at this address in any player of that format.\n") // the player has gone if this fails
		return kindOther, nil
	case "/" + hlsName:
		return kindMaster, h.master(w, r)
	case "/" + mpdName:
		return kindMaster, h.mpd(w, r, newPlayerName())
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/p/")
	parts := strings.Split(rest, "/")
	reload := len(parts) == 2 && parts[1] == mpdName // of a live MPD
	if !ok || (len(parts) != 3 && !reload) || !isPlayer(parts[0]) {
		return kindOther, notFound("nothing is served at %q; start at /%s", clip(r.URL.Path), h.s.start())
	}
	now := time.Now()
	player, err := h.s.players.enter(parts[0], now)
	if err != nil {
		h.s.metrics.refused.WithLabelValues("players").Inc()
		return kindOther, err
	}
	defer func() { player.leave(time.Now()) }()
	if reload {
		return kindMaster, h.mpd(w, r, parts[0])
	}
	if isDASH, err := h.isDASH(r.Context()); err != nil {
		return kindOther, err
	} else if isDASH {
		return h.mpdFile(w, r, player, parts[0], parts[1], parts[2])
	}
	l, err := h.playlist(r, parts[1])
	if err != nil {
		return kindOther, err
	}
	if parts[2] == "index.m3u8" && l.name != masterName {
		return kindPlaylist, h.media(w, r, player, l)
	}
	return h.file(w, r, player, l, parts[2])
}

// playlist finds a media playlist by its name; those of a presentation are
// read from the multivariant playlist, even if this player read it before the
// proxy was restarted.
func (h *handler) playlist(r *http.Request, name string) (*playlist, error) {
	if l := h.s.playlists.get(name); l != nil {
		return l, nil
	}
	if _, err := h.presentation(r.Context(), newPlayerName()); err != nil {
		return nil, err
	}
	if l := h.s.playlists.get(name); l != nil {
		return l, nil
	}
	return nil, notFound("the stream has no playlist %q; start at /master.m3u8", clip(name))
}

// presentation returns the multivariant playlist for a player.
func (h *handler) presentation(ctx context.Context, player string) ([]byte, error) {
	const what = "the multivariant playlist"
	ctx, cancel := context.WithTimeout(ctx, masterPatience)
	defer cancel()
	if err := h.s.awaitStream(ctx); err != nil {
		return nil, explain(what, err)
	}
	p, err := h.s.client.Engine().Presentation(ctx, masterAge)
	if err != nil {
		return nil, explain(what, err)
	}
	if h.s.learnFormat(p); p.MPD() != nil {
		return nil, notFound("this stream is MPEG-DASH; open /%s", mpdName)
	}
	text, err := h.s.playlists.master(p, player, time.Now())
	if err != nil {
		return nil, explain(what, err)
	}
	return text, nil
}

// How long a player waits for a playlist, and how old the multivariant playlist
// may be. Nothing plays yet when that is requested: the user should see an error
// early.
const (
	patience       = 10 * time.Second
	masterPatience = 5 * time.Second
	masterAge      = 30 * time.Second
)

func clip(text string) string {
	const longest = 80
	if len(text) > longest {
		return text[:longest] + "…"
	}
	return text
}
