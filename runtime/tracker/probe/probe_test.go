package probe

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// origin is a live stream of 2 s segments whose parts tests replace.
type origin struct {
	mu       sync.Mutex
	sessions int // manifests handed out
	fetched  []string

	master  func(session int) string
	media   func(name string, r *http.Request) string
	segment http.HandlerFunc
}

const oneVariant = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=240000,RESOLUTION=640x360\nv.m3u8\n"

func list(first, last int, entry func(n int) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
	for n := first; n <= last; n++ {
		b.WriteString("#EXTINF:2,\n" + entry(n) + "\n")
	}
	return b.String()
}

// plain is the bytes of a segment, drawn from its path.
func plain(path string) []byte { return bytes.Repeat([]byte(path+"."), 400) }

func newOrigin() *origin {
	return &origin{
		master: func(int) string { return oneVariant },
		media: func(name string, _ *http.Request) string {
			return list(100, 109, func(n int) string { return fmt.Sprintf("%s-%d.ts", name, n) })
		},
		segment: func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(plain(r.URL.Path)))
		},
	}
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/master.m3u8" {
		o.mu.Lock()
		o.sessions++
		session := o.sessions
		o.mu.Unlock()
		_, _ = fmt.Fprint(w, o.master(session))
		return
	}
	if name, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".m3u8"); ok {
		_, _ = fmt.Fprint(w, o.media(name, r))
		return
	}
	o.mu.Lock()
	o.fetched = append(o.fetched, r.URL.Path)
	o.mu.Unlock()
	o.segment(w, r)
}

// look lets a prober look at the origin, as a tracker does.
func (o *origin) look(t *testing.T, cfg Config) (*Prober, manifest.Evidence, *manifest.Presentation) {
	t.Helper()
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	var master *manifest.Presentation
	cfg.Open = func() (Session, error) {
		s, err := manifest.NewSource(manifest.SourceConfig{URL: server.URL + "/master.m3u8"})
		return &noting{Source: s, note: func(p *manifest.Presentation) {
			if master == nil {
				master = p
			}
		}}, err
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e, again, err := p.Look(t.Context())
	if err != nil || again <= 0 {
		t.Fatalf("again in %v, %v", again, err)
	}
	return p, e, master
}

type noting struct {
	*manifest.Source
	note func(*manifest.Presentation)
}

func (n *noting) Load(ctx context.Context) (*manifest.Presentation, error) {
	p, err := n.Source.Load(ctx)
	if err == nil {
		n.note(p)
	}
	return p, err
}

const twoAudio = "#EXTM3U\n" +
	"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"lo\",NAME=\"English\",LANGUAGE=\"en\",URI=\"alo.m3u8\"\n" +
	"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"hi\",NAME=\"English\",LANGUAGE=\"en\",URI=\"ahi.m3u8\"\n" +
	"#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=640x360,CODECS=\"avc1.64001e,mp4a.40.2\",AUDIO=\"lo\"\nv.m3u8\n" +
	"#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=1280x720,CODECS=\"avc1.64001f,mp4a.40.2\",AUDIO=\"hi\"\nhi.m3u8\n"

// TestKinds looks at origins of every kind and judges them.
func TestKinds(t *testing.T) {
	ad := func(name string, r *http.Request) string {
		return list(100, 109, func(n int) string {
			if n%4 < 2 {
				return fmt.Sprintf("ad-%s-%d.ts", r.URL.Query().Get("session"), n)
			}
			return fmt.Sprintf("%s-%d.ts", name, n)
		})
	}
	own := func(session int) string {
		return strings.Replace(oneVariant, "v.m3u8", fmt.Sprintf("v.m3u8?session=%d", session), 1)
	}
	tests := map[string]struct {
		change          func(*origin)
		reason          string
		main, secondary bool // off
		says            string
	}{
		"plain": {func(*origin) {}, manifest.Peerable, false, false, ""},
		"a film": {func(o *origin) {
			o.media = func(name string, _ *http.Request) string {
				return list(0, 9, func(n int) string { return fmt.Sprintf("%s-%d.ts", name, n) }) + "#EXT-X-ENDLIST\n"
			}
		}, manifest.Peerable, false, false, ""},
		"ads for each session": {func(o *origin) { o.master, o.media = own, ad }, manifest.DifferentPerSession, true, true, ""},
		"another path for each session, the same bytes": {func(o *origin) {
			o.master = own
			o.media = func(name string, r *http.Request) string {
				return list(100, 109, func(n int) string {
					return fmt.Sprintf("s%s/%s-%d.ts", r.URL.Query().Get("session"), name, n)
				})
			}
			o.segment = func(w http.ResponseWriter, r *http.Request) {
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(plain(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/'):])))
			}
		}, manifest.Peerable, false, false, ""},
		"a watermark in each answer": {func(o *origin) {
			var mu sync.Mutex
			n := 0
			o.segment = func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				n++
				mark := n
				mu.Unlock()
				_, _ = fmt.Fprintf(w, "%08d", mark)
			}
		}, manifest.DifferentPerSession, true, true, ""},
		"signed anew for each": {func(o *origin) {
			o.media = func(name string, _ *http.Request) string {
				return list(100, 109, func(n int) string { return fmt.Sprintf("%s-%d.ts?sig=%d", name, n, time.Now().UnixNano()) })
			}
		}, manifest.Peerable, false, false, ""},
		"one identity, other bytes": {func(o *origin) { o.master = func(int) string { return twoAudio } }, manifest.SameIdentity, false, true, "audio-en and audio-en-2"},
		"one identity, the same bytes": {func(o *origin) {
			o.master = func(int) string { return twoAudio }
			o.segment = func(w http.ResponseWriter, r *http.Request) {
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(plain(r.URL.Path[len(r.URL.Path)-6:])))
			}
		}, manifest.Peerable, false, false, ""},
		"one identity, other numbers": {func(o *origin) {
			o.master = func(int) string { return twoAudio }
			o.media = func(name string, _ *http.Request) string {
				first := 100
				if name == "ahi" {
					first = 200
				}
				return list(first, first+9, func(n int) string { return fmt.Sprintf("s-%d.ts", n%100) })
			}
		}, manifest.SameIdentity, false, true, ""},
		"one identity, the second cannot be read": {func(o *origin) {
			o.master = func(int) string { return twoAudio }
			media := o.media
			o.media = func(name string, r *http.Request) string {
				if name == "ahi" {
					return "gone"
				}
				return media(name, r)
			}
		}, manifest.Peerable, false, false, ""},
		"parts in audio": {func(o *origin) {
			o.master = func(int) string { return twoAudio }
			media := o.media
			o.media = func(name string, r *http.Request) string {
				if name == "alo" {
					return media(name, r) + "#EXT-X-PART:DURATION=0.5,URI=\"p.ts\"\n"
				}
				return media(name, r)
			}
		}, manifest.LowLatencyPartsOnly, true, true, "audio-en"},
		"compressed": {func(o *origin) {
			o.segment = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				_, _ = z.Write(plain(r.URL.Path))
				_ = z.Close()
			}
		}, manifest.SegmentsEncoded, true, true, "gzip"},
		"ranges ignored": {func(o *origin) {
			o.segment = func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(plain(r.URL.Path)) }
		}, manifest.Peerable, false, false, "RangesIgnored"},
		"ranges ignored, and segments are ranges": {func(o *origin) {
			o.media = func(name string, _ *http.Request) string {
				return list(100, 109, func(n int) string { return fmt.Sprintf("#EXT-X-BYTERANGE:100@%d\n%s.ts", n*100, name) })
			}
			o.segment = func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(plain(r.URL.Path)) }
		}, manifest.RangesIgnored, true, true, ""},
		"segments are ranges": {func(o *origin) {
			o.media = func(name string, _ *http.Request) string {
				return list(0, 9, func(n int) string { return fmt.Sprintf("#EXT-X-BYTERANGE:100@%d\n%s.ts", n*100, name) })
			}
		}, manifest.Peerable, false, false, ""},
		"chunked": {func(o *origin) {
			plainly := o.segment
			o.segment = func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Range") != "" {
					plainly(w, r)
					return
				}
				w.(http.Flusher).Flush()
				_, _ = w.Write(plain(r.URL.Path))
			}
		}, manifest.Peerable, false, false, "Content-Length"},
		"segments that are not there": {func(o *origin) { o.segment = http.NotFound }, manifest.Peerable, false, false, ""},
		"a segment that is replaced while it is compared": {func(o *origin) {
			var mu sync.Mutex
			asked := map[string]int{}
			o.segment = func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				asked[r.URL.Path]++
				first := asked[r.URL.Path] == 1
				mu.Unlock()
				body := plain(r.URL.Path)
				if first {
					body = body[:100]
				}
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
			}
		}, manifest.Peerable, false, false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOrigin()
			tt.change(o)
			_, e, master := o.look(t, Config{})
			v := manifest.Judge(master, e)
			types := slices.ContainsFunc(master.Renditions, func(r manifest.Rendition) bool { return r.Type == "secondary" })
			if v.Reason != tt.reason || v.MainOff != tt.main || (types && v.SecondaryOff != tt.secondary) || !strings.Contains(v.Message, tt.says) {
				t.Errorf("got %+v", v)
			}
			if tt.says == "" && v.Peerable && v.Message != "" {
				t.Errorf("a warning: %s", v.Message)
			}
		})
	}
}

// TestModesty: of each rendition one segment in one session, of the first one also in the other, and what peers need of an
// origin is tried once: few requests, and not the newest segment.
func TestModesty(t *testing.T) {
	o := newOrigin()
	o.master = func(int) string {
		return "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nb.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=3\nc.m3u8\n"
	}
	o.look(t, Config{})
	o.mu.Lock()
	defer o.mu.Unlock()
	slices.Sort(o.fetched)
	want := []string{"/a-108.ts", "/a-108.ts", "/a-108.ts", "/a-108.ts", "/b-108.ts", "/c-108.ts"}
	if d := cmp.Diff(want, o.fetched); d != "" || o.sessions != 2 {
		t.Errorf("%d manifests, %s", o.sessions, d)
	}
}

func TestBounds(t *testing.T) {
	many := func(int) string {
		var b strings.Builder
		b.WriteString("#EXTM3U\n")
		for i := range 20 {
			fmt.Fprintf(&b, "#EXT-X-STREAM-INF:BANDWIDTH=%d\nv%d.m3u8\n", i+1, i)
		}
		return b.String()
	}
	skipped := func(t *testing.T, reg *prometheus.Registry, limit string) float64 {
		t.Helper()
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == "p2pstream_probe_skipped_total" && m.GetLabel()[0].GetValue() == limit {
					return m.GetCounter().GetValue()
				}
			}
		}
		t.Fatalf("no metric for %s", limit)
		return 0
	}
	t.Run("renditions", func(t *testing.T) {
		o, reg := newOrigin(), prometheus.NewRegistry()
		o.master = many
		_, e, _ := o.look(t, Config{MaxRenditions: 3, Registerer: reg})
		if got := skipped(t, reg, limitRenditions); len(e.Playlists) != 3 || got != 2*17 {
			t.Errorf("%d playlists, %v skipped", len(e.Playlists), got)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		o, reg := newOrigin(), prometheus.NewRegistry()
		o.master = many
		p, _, _ := o.look(t, Config{MaxBytes: 1, Registerer: reg})
		size := float64(len(plain("/v0-108.ts")) + 10)
		if got, n := skipped(t, reg, limitBytes), count(t, p.metrics.bytes); got < 20-atOnce || n > atOnce*size*1.2 {
			t.Errorf("%v skipped after %v bytes", got, n)
		}
	})
	t.Run("one segment", func(t *testing.T) {
		o, reg := newOrigin(), prometheus.NewRegistry()
		p, e, _ := o.look(t, Config{MaxSegmentBytes: 1000, Registerer: reg,
			Hashes: func(manifest.Rendition, manifest.Segment) []integrity.Hash { return []integrity.Hash{{}} }})
		if n := count(t, p.metrics.bytes); n != 2000 || len(e.Differences) != 0 {
			t.Errorf("%v bytes, %+v", n, e.Differences)
		}
	})
	t.Run("time", func(t *testing.T) {
		o, reg := newOrigin(), prometheus.NewRegistry()
		o.master = many
		o.segment = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		_, e, _ := o.look(t, Config{Timeout: time.Second, Registerer: reg})
		if got := skipped(t, reg, limitTime); got < 20-atOnce || len(e.Playlists) != 20 || len(e.Travel) != 0 {
			t.Errorf("%v skipped, %d playlists, %+v", got, len(e.Playlists), e.Travel)
		}
	})
}

func TestSeedersSaySomethingElse(t *testing.T) {
	for name, tt := range map[string]struct {
		say  func(path string) []integrity.Hash
		want bool
	}{
		"nothing":        {func(string) []integrity.Hash { return nil }, false},
		"the same":       {func(path string) []integrity.Hash { return []integrity.Hash{integrity.Of(plain(path))} }, false},
		"another":        {func(string) []integrity.Hash { return []integrity.Hash{{1}} }, true},
		"one of two not": {func(path string) []integrity.Hash { return []integrity.Hash{integrity.Of(plain(path)), {1}} }, true},
	} {
		o := newOrigin()
		_, e, _ := o.look(t, Config{Hashes: func(r manifest.Rendition, s manifest.Segment) []integrity.Hash {
			if r.Name != "360p" || s.Sequence != 108 {
				t.Errorf("asked for %s %d", r.Name, s.Sequence)
			}
			return tt.say("/v-108.ts")
		}})
		want := []manifest.Difference{{Rendition: "360p", Sequence: 108, Clients: true}}
		if !tt.want {
			want = nil
		}
		if d := cmp.Diff(want, e.Differences); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestCookies: only the session that has the cookie gets segments.
func TestCookies(t *testing.T) {
	for name, tt := range map[string]struct {
		bare, again int
		want        bool
	}{
		"not needed":           {200, 200, false},
		"needed":               {403, 200, true},
		"nor unauthorized":     {401, 200, true},
		"good for one request": {403, 403, false},
		"busy":                 {503, 200, false},
	} {
		opened := 0
		p, err := New(Config{Open: func() (Session, error) {
			opened++
			return &cookieSession{bare: opened > 2, statuses: [2]int{tt.again, tt.bare}}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		e, _, err := p.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := slices.ContainsFunc(e.Travel, func(t manifest.Trouble) bool { return t.Reason == manifest.NeedsCookie })
		if got != tt.want {
			t.Errorf("%s: %+v", name, e.Travel)
		}
	}
}

// cookieSession gets a segment once, and then the statuses.
type cookieSession struct {
	bare     bool
	statuses [2]int // of the second request, and of the bare session
}

func (s *cookieSession) Load(context.Context) (*manifest.Presentation, error) {
	return manifest.ParseMultivariant([]byte(oneVariant), "https://o.test/m.m3u8")
}

func (s *cookieSession) LoadPlaylist(_ context.Context, r manifest.Rendition) (*manifest.Playlist, error) {
	return manifest.ParseMedia([]byte(list(1, 3, func(n int) string { return fmt.Sprintf("%d.ts", n) })), r.URI, r)
}

func (s *cookieSession) FetchSegment(_ context.Context, _ manifest.Segment, from int64) (body io.ReadCloser, total int64, err error) {
	status := 200
	switch {
	case s.bare:
		status = s.statuses[1]
	case from > 0:
		status = s.statuses[0]
	}
	if status != 200 {
		return nil, 0, &manifest.Error{Reason: manifest.ReasonStatus, Status: status}
	}
	return io.NopCloser(strings.NewReader("media")), 5, nil
}

func (s *cookieSession) Close() {}

// TestMemory: ads come and go, and a pair that cannot be compared now is as it was.
func TestMemory(t *testing.T) {
	var m memory
	now := time.Unix(1_800_000_000, 0)
	look := func(after time.Duration, e manifest.Evidence) manifest.Evidence {
		now = now.Add(after)
		m.keep(&e, now)
		return e
	}
	ad := manifest.Difference{Rendition: "a", Sequence: 7}
	alike := manifest.Likeness{First: "x", Second: "y", Equal: true}
	look(0, manifest.Evidence{Differences: []manifest.Difference{ad}, Alike: []manifest.Likeness{alike}})
	e := look(time.Minute, manifest.Evidence{})
	if len(e.Differences) != 1 || len(e.Alike) != 1 || !e.Alike[0].Equal {
		t.Errorf("a minute later: %+v", e)
	}
	e = look(time.Minute, manifest.Evidence{Alike: []manifest.Likeness{{First: "x", Second: "y"}}})
	if len(e.Alike) != 1 || e.Alike[0].Equal {
		t.Errorf("what was compared again: %+v", e.Alike)
	}
	if e = look(differenceKept, manifest.Evidence{}); len(e.Differences) != 0 {
		t.Errorf("an hour later: %+v", e.Differences)
	}
	for i := range 100 {
		e = look(time.Second, manifest.Evidence{Differences: []manifest.Difference{{Rendition: "a", Sequence: int64(i)}}})
	}
	if len(m.differences) != maxKept || len(e.Differences) > maxKept+1 {
		t.Errorf("%d kept, %d told", len(m.differences), len(e.Differences))
	}
}

func TestAFailedLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := New(Config{Open: func() (Session, error) { return nil, errors.New("no CA") }})
		if err != nil {
			t.Fatal(err)
		}
		_, again, err := p.Look(t.Context())
		if err == nil || again > defaultRetryInterval || again < defaultRetryInterval/2 || count(t, p.metrics.looks.WithLabelValues("failed")) != 1 {
			t.Errorf("again in %v: %v", again, err)
		}
	})
}

// count reads a counter.
func count(t *testing.T, c prometheus.Metric) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}
