package origin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/p2pstream/p2pstream/runtime/origin/media"
	"github.com/p2pstream/p2pstream/runtime/origin/mux"
	"github.com/p2pstream/p2pstream/runtime/origin/timeline"
)

const (
	// maxInFlight bounds the requests served at a time; more are answered 503.
	// Each may hold a segment in memory and, with slow_N, for a minute.
	maxInFlight = 4096

	cacheForever = "public, max-age=31536000, immutable"
	cacheHour    = "public, max-age=3600"
	// A live playlist must never be stale; revalidation with a conditional request
	// is the cheapest way.
	cacheRevalidate = "no-cache"
	cacheNever      = "no-store"

	playlistType = "application/vnd.apple.mpegurl"
	mpdType      = "application/dash+xml"
)

// streams serves /live and /vod.
type streams struct {
	catalog *timeline.Catalog
	clock   func() time.Time
	stats   *stats
	slots   chan struct{}
	buffers sync.Pool // *[]byte
}

// newHandler routes requests.
func (s *Server) newHandler(reg prometheus.Registerer) (http.Handler, error) {
	lib, err := media.Load()
	if err != nil {
		return nil, err
	}
	catalog, err := timeline.NewCatalog(lib)
	if err != nil {
		return nil, err
	}
	st := &streams{
		catalog: catalog,
		clock:   s.cfg.Clock,
		stats:   s.stats,
		slots:   make(chan struct{}, maxInFlight),
		buffers: sync.Pool{New: func() any { return new([]byte) }},
	}
	mux := http.NewServeMux()
	mux.Handle("/live/", st)
	mux.Handle("/vod/", st)
	mux.HandleFunc("GET /requests", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", cacheNever)
		_ = json.NewEncoder(w).Encode(s.Stats()) // fails only if the client is gone
	})
	mux.HandleFunc("GET "+timeline.ClockPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		setType(w, "text/plain", cacheNever)
		_, _ = io.WriteString(w, s.cfg.Clock().UTC().Format("2006-01-02T15:04:05.000Z")) // as above
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n") // as above
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, usage) // as above
	})
	if g, ok := reg.(prometheus.Gatherer); ok {
		mux.Handle("GET /metrics", promhttp.HandlerFor(g, promhttp.HandlerOpts{}))
	}
	return mux, nil
}

const usage = `p2pstream origin: a test source of live and VOD HLS and MPEG-DASH

  /live/master.m3u8
  /vod/master.m3u8
  /live/manifest.mpd
  /vod/manifest.mpd
  /live/seg_4/window_6/ts/audio/master.m3u8
  /vod/dur_60/byterange/master.m3u8
  /time        the time by which live streams go
  /requests    counts of what has been served, as JSON

Options, in any order before the resource:
  seg_N window_N ts fmp4 audio ren_N start_N end_N dur_N byterange timeline fill_N
Faults:
  slow_N rate_N truncate_N status_N_P down_A_B notplaylist redirect
What origins in the field do:
  event_D_G gone newnames late_N expire_N signed_N passes_N edges sessions cookie busy_A_B
  ads watermark agents twins cameras backup loop_N wrap_N slate_N stale_N dvr negative
  parts canskip canblock notmodified onetag gzip nolength chunked norange
"p2pstream origin --help" says what each of them is.
`

// ServeHTTP answers one request and counts it.
func (s *streams) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	h := rw.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Content-Length, Content-Range, Accept-Ranges, ETag, Last-Modified, Date")
	h.Set("Timing-Allow-Origin", "*")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "Range, If-None-Match, If-Modified-Since, If-Range, Cache-Control")
		h.Set("Access-Control-Max-Age", "86400")
		rw.WriteHeader(http.StatusNoContent)
		return
	default:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		http.Error(rw, "method not allowed; use GET", http.StatusMethodNotAllowed)
		return
	}

	w := newWriter(rw, r)
	kind := KindInvalid
	defer func() {
		s.stats.requests.WithLabelValues(kind, w.code()).Inc()
		s.stats.bytes.WithLabelValues(kind).Add(float64(w.sent))
		s.stats.count(kind, countKey(r), w.outcome())
	}()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		h.Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "too many concurrent requests; try again later")
		return
	}
	req, err := timeline.Parse(r.URL.Path)
	if err != nil {
		var knob *timeline.KnobError
		status := http.StatusNotFound
		if errors.As(err, &knob) && !knob.Unknown {
			status = http.StatusBadRequest
		}
		fail(w, status, err.Error())
		return
	}
	kind = kindOf(req.Kind)
	v := s.visit(r, req)
	if s.inject(w, r, req.Fault(r.URL.Path, v.Now.Unix())) || s.refuse(w, r, req, v) {
		return
	}
	if wait := req.Blocks(v); wait > 0 {
		s.stats.faults.WithLabelValues("canblock").Inc()
		if !w.sleep(min(wait, maxBlock)) {
			return
		}
		v.Now = s.clock()
	}
	s.serve(w, r, req, v)
	if w.cut {
		// The body ends before its Content-Length: flush what was written and
		// abort the connection, as a failing cache does.
		_ = w.control.Flush()
		panic(http.ErrAbortHandler)
	}
}

// serve answers a request without a fault, or with one that the writer applies.
func (s *streams) serve(w *writer, r *http.Request, req timeline.Request, v timeline.Visit) {
	k, now := req.Knobs, v.Now.Unix()
	buf := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buf)
	body := (*buf)[:0]
	var modified time.Time
	switch req.Kind {
	case timeline.Multivariant:
		body = s.catalog.AppendMultivariantAt(body, k, v)
		setType(w, playlistType, masterCache(k))
	case timeline.Manifest:
		var err error
		body, err = s.catalog.AppendMPDAt(body, k, v)
		if err != nil {
			fail(w, http.StatusNotFound, err.Error())
			return
		}
		setType(w, mpdType, mpdCache(k, now))
	case timeline.MediaPlaylist:
		var err error
		body, err = s.catalog.AppendPlaylistAt(body, req, v)
		if err != nil {
			if errors.Is(err, timeline.ErrNotStarted) {
				w.Header().Set("Retry-After", "1")
			}
			fail(w, http.StatusNotFound, err.Error())
			return
		}
		setType(w, playlistType, playlistCache(k, now))
		if k.Conduct == (timeline.Conduct{}) {
			modified = published(k, k.Count(now)-1)
		}
	case timeline.Init:
		body = append(body, s.catalog.Init(req)...)
		setType(w, mediaType(req), cacheForever)
	case timeline.Segment:
		if !req.Exists(now) {
			fail(w, http.StatusNotFound, fmt.Sprintf("segment %d is not complete yet; the next one is %d", req.Sequence, k.Moment(now).Count))
			return
		}
		body = s.catalog.AppendSegmentAt(body, req, v)
		if k.Changes() {
			setType(w, mediaType(req), cacheRevalidate)
			break
		}
		setType(w, mediaType(req), cacheForever)
		if k.Conduct == (timeline.Conduct{}) {
			modified = published(k, req.Sequence)
		}
	case timeline.File:
		if k.Conduct.NoRange && r.Header.Get("Range") != "" {
			s.stats.faults.WithLabelValues("norange").Inc()
			r = r.Clone(r.Context())
			r.Header.Del("Range")
		}
		s.serveFile(w, r, req)
		return
	}
	*buf = body
	if req.Kind == timeline.Segment && s.oddly(w, k.Conduct, body) {
		return
	}
	sum := sha256.Sum256(body)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	if s.untrue(w, r, req) {
		return
	}
	http.ServeContent(w, r, "", modified, bytes.NewReader(body))
}

// serveFile answers ranges of the one file of a rendition. Its ETag is a hash of
// the file's beginning and parameters, because hashing an hour of media would be
// too slow.
func (s *streams) serveFile(w *writer, r *http.Request, req timeline.Request) {
	f := s.catalog.RangeFile(req)
	first := make([]byte, min(f.Size(), 64<<10))
	if _, err := io.ReadFull(f, first); err != nil {
		fail(w, http.StatusInternalServerError, "reading the file: "+err.Error())
		return
	}
	sum := sha256.Sum256(fmt.Appendf(first, "%s %d %d %d", req.Track, req.Knobs.Segment, req.Knobs.Duration, f.Size()))
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	setType(w, mediaType(req), cacheForever)
	http.ServeContent(w, r, "", time.Time{}, f)
}

// published returns when segment seq was complete; the zero time for VOD.
func published(k timeline.Knobs, seq int64) time.Time {
	if !k.Live {
		return time.Time{}
	}
	return time.Unix(k.Published(seq), 0)
}

func setType(w http.ResponseWriter, contentType, cache string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", cache)
}

// fail answers with an error that must not be cached.
func fail(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Cache-Control", cacheNever)
	http.Error(w, text, status)
}

func mediaType(r timeline.Request) string {
	switch {
	case r.Knobs.Container == mux.TS:
		return "video/mp2t"
	case r.Audio():
		return "audio/mp4"
	}
	return "video/mp4"
}

func kindOf(k timeline.Kind) string {
	switch k {
	case timeline.Multivariant, timeline.MediaPlaylist, timeline.Manifest:
		return KindPlaylist
	case timeline.Init:
		return KindInit
	}
	return KindSegment
}

// countKey returns the key under which a request is counted.
func countKey(r *http.Request) string {
	key := r.URL.Path
	if rng := r.Header.Get("Range"); rng != "" {
		key += " " + rng[:min(len(rng), 64)]
	}
	if r.Method == http.MethodHead {
		key = "HEAD " + key
	}
	return key
}
