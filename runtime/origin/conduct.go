package origin

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/origin/timeline"
)

// cookieName is the cookie without which cookie answers nothing but the multivariant playlist.
const cookieName = "p2pstream-session"

// maxBlock bounds how long an answer waits for the segment that it is asked for.
const maxBlock = 3 * time.Minute

// visit is what a request says beside its path. Its session is that of its cookie or URL, or begins now.
func (s *streams) visit(r *http.Request, req timeline.Request) timeline.Visit {
	v := timeline.Visit{Now: s.clock(), Query: r.URL.Query(), Agent: r.UserAgent()}
	v.Session = timeline.SessionOf(v.Query)
	if c, err := r.Cookie(cookieName); err == nil && req.Knobs.Conduct.Cookie {
		v.Session = timeline.SessionOfCookie(c.Value)
	}
	if v.Session == "" && req.IsMaster() {
		v.Session = timeline.SessionAt(v.Now)
	}
	return v
}

// refuse answers what the conduct of the stream refuses or sends elsewhere. It reports whether it did.
func (s *streams) refuse(w *writer, r *http.Request, req timeline.Request, v timeline.Visit) (answered bool) {
	c := req.Knobs.Conduct
	count := func(name string) { s.stats.faults.WithLabelValues(name).Inc() }
	elsewhere := func(name, path, query string) bool {
		count(name)
		w.Header().Set("Cache-Control", cacheNever)
		if query != "" {
			path += "?" + query
		}
		http.Redirect(w, r, path, http.StatusFound) // a parsed path begins with /live or /vod and stays on this host
		return true
	}
	switch {
	case c.Edges && req.IsMaster():
		edge := strconv.FormatInt(v.Now.UnixNano()%1000, 10)
		return elsewhere("edges", strings.Replace(r.URL.Path, "/edges/", "/edge_"+edge+"/", 1), "")
	case c.Cookie && req.IsMaster():
		http.SetCookie(w, &http.Cookie{Name: cookieName, Value: v.Session, Path: "/"}) //nolint:gosec // a test source has no secrets
	case c.Cookie:
		if _, err := r.Cookie(cookieName); err != nil {
			count("cookie")
			fail(w, http.StatusForbidden, "no cookie: the manifest sets it")
			return true
		}
	}
	switch {
	case req.Expired(r.URL.Path, v):
		count("expired")
		fail(w, http.StatusForbidden, "this URL has expired")
		return true
	case c.Sessions && req.Kind == timeline.MediaPlaylist && v.Session == "":
		return elsewhere("sessions", r.URL.Path, timeline.QuerySession(timeline.SessionAt(v.Now)))
	}
	return false
}

// oddly writes the body of a segment in the way of a proxy or server that does not do what players expect. false if the
// conduct has no such way.
func (s *streams) oddly(w *writer, c timeline.Conduct, body []byte) bool {
	h := w.Header()
	switch {
	case c.Gzip:
		s.stats.faults.WithLabelValues("gzip").Inc()
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(body) // a buffer does not fail
		_ = z.Close()
		body = b.Bytes()
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(body)))
	case c.NoLength:
		s.stats.faults.WithLabelValues("nolength").Inc()
		h.Set("Transfer-Encoding", "identity") //nolint:gosec // no Content-Length is set here; net/http then ends the connection with the body
	case c.Chunked:
		s.stats.faults.WithLabelValues("chunked").Inc()
		_ = w.control.Flush() // without a length, and more than fits a buffer
	default:
		return false
	}
	if w.request.Method != http.MethodHead {
		_, _ = io.Copy(w, bytes.NewReader(body)) // the client is gone if this fails
	}
	return true
}

// oneTag is the ETag of every text with onetag.
const oneTag = `"one"`

// untrue applies validators that do not tell what they should. It reports whether that answered the request.
func (s *streams) untrue(w *writer, r *http.Request, req timeline.Request) (answered bool) {
	c := req.Knobs.Conduct
	if kindOf(req.Kind) != KindPlaylist {
		return false
	}
	asked := r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Modified-Since") != ""
	switch {
	case c.OneTag:
		w.Header().Set("ETag", oneTag)
		if asked {
			s.stats.faults.WithLabelValues("onetag").Inc()
		}
	case c.NotModified && asked:
		s.stats.faults.WithLabelValues("notmodified").Inc()
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	return false
}

// masterCache is how long the multivariant playlist of k may be kept.
func masterCache(k timeline.Knobs) string {
	c := k.Conduct
	if c.Late > 0 || c.Expire > 0 || c.Ads || c.Watermark || c.Cookie || c.EventSeconds > 0 {
		return cacheNever
	}
	return cacheHour
}

// mpdCache is how long the MPD of k may be kept.
func mpdCache(k timeline.Knobs, now int64) string {
	if c := masterCache(k); c == cacheNever {
		return c
	}
	return playlistCache(k, now)
}

// playlistCache is how long a media playlist of k may be kept.
func playlistCache(k timeline.Knobs, now int64) string {
	switch {
	case k.Conduct.Signed > 0, k.Conduct.Passes > 0:
		return cacheNever
	case !k.Moment(now).Ended || k.Conduct.EventSeconds > 0:
		return cacheRevalidate
	}
	return cacheHour
}
