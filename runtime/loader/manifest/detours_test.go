package manifest

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// twoPlaces is byNumber with a BaseURL at each of n hosts.
func twoPlaces(since time.Time, n int) string {
	var bases strings.Builder
	for i := range n {
		_, _ = fmt.Fprintf(&bases, "<BaseURL>https://cdn%d.test/</BaseURL>", i+1)
	}
	text := strings.Replace(byNumber(since), "<Period", bases.String()+"<Period", 1)
	return strings.Replace(text, `media="`, `initialization="$RepresentationID$.mp4" media="`, 1)
}

// TestAlternativeURLs: what one host does not serve comes from the next one, and no name depends on where it came from.
func TestAlternativeURLs(t *testing.T) {
	for name, c := range map[string]struct {
		first func(*http.Request) (*http.Response, error)
		again bool // the first host is asked for the next segment, too
	}{
		"unreachable": {func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, false},
		"silent": {func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, false},
		"503": {func(*http.Request) (*http.Response, error) { return answer(503, ""), nil }, false},
		"404": {func(*http.Request) (*http.Response, error) { return answer(404, ""), nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				registry, o, hosts := prometheus.NewRegistry(), &show{}, []string(nil)
				since := o.now().Add(-time.Minute)
				o.text = func(time.Time) string { return twoPlaces(since, 2) }
				s := newSource(t, SourceConfig{URL: mpdURL, Registerer: registry, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
					switch {
					case r.URL.Path == "/time": // the clock is below the first BaseURL, too
						return o.RoundTrip(r)
					case r.URL.Host == "cdn1.test":
						hosts = append(hosts, "1")
						return c.first(r)
					case r.URL.Host == "cdn2.test":
						hosts = append(hosts, "2")
						return answer(200, "bytes"), nil
					}
					return o.RoundTrip(r)
				})})
				p, err := s.Load(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				list, err := s.LoadPlaylist(t.Context(), p.Renditions[0])
				if err != nil {
					t.Fatal(err)
				}
				get := func(open func() (io.ReadCloser, int64, error)) {
					t.Helper()
					body, _, err := open()
					if err != nil {
						t.Fatal(err)
					}
					if data, err := io.ReadAll(body); err != nil || string(data) != "bytes" {
						t.Errorf("%q, %v", data, err)
					}
					_ = body.Close()
				}
				seg := list.Segments[0]
				if !strings.HasPrefix(seg.Key(), "https://cdn1.test/") {
					t.Errorf("the key is %s", seg.Key())
				}
				get(func() (io.ReadCloser, int64, error) { return s.FetchSegment(t.Context(), seg, 0) })
				get(func() (io.ReadCloser, int64, error) { return s.FetchResource(t.Context(), *seg.Init) })
				want := []string{"1", "2", "2"}
				if c.again {
					want = []string{"1", "2", "1", "2"}
				}
				if !slices.Equal(hosts, want) {
					t.Errorf("asked %v, want %v", hosts, want)
				}
				if a, b := counted(t, registry, detoursTotal, "segment"), counted(t, registry, detoursTotal, "init"); a != 1 || b != 1 {
					t.Errorf("%v and %v detours", a, b)
				}
				hosts = nil
				time.Sleep(avoidFor + time.Second)
				get(func() (io.ReadCloser, int64, error) { return s.FetchSegment(t.Context(), seg, 0) })
				if !slices.Equal(hosts, []string{"1", "2"}) {
					t.Errorf("asked %v after a while", hosts)
				}
			})
		})
	}
}

// TestABodyThatEndsEarlyIsFetchedElsewhere: who goes on with a segment gets the rest from the next host.
func TestABodyThatEndsEarlyIsFetchedElsewhere(t *testing.T) {
	s := newSource(t, SourceConfig{URL: mpdURL, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "cdn1.test" {
			cut := answer(200, "by")
			cut.ContentLength = 5
			return cut, nil
		}
		rest := answer(206, "tes", "Content-Range", "bytes 2-4/5")
		return rest, nil
	})})
	seg := Segment{URL: "https://cdn1.test/a", Alternatives: []string{"https://cdn2.test/a"}}
	body, total, err := s.FetchSegment(t.Context(), seg, 0)
	if err != nil || total != 5 {
		t.Fatal(total, err)
	}
	held, err := io.ReadAll(body)
	if ReasonOf(err) != ReasonTruncated {
		t.Fatal(err)
	}
	_ = body.Close()
	body, _, err = s.ResumeSegment(t.Context(), seg, int64(len(held)), total)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(body)
	if err != nil || string(held)+string(rest) != "bytes" {
		t.Errorf("%q, %q, %v", held, rest, err)
	}
	_ = body.Close()
}

const detoursTotal = "p2pstream_manifest_detours_total"

// TestAlternativeURLsAreBounded: three are asked, the error is that of the first, and what is wrong everywhere is asked for once.
func TestAlternativeURLsAreBounded(t *testing.T) {
	asked := 0
	var answers func(*http.Request) *http.Response
	s := newSource(t, SourceConfig{URL: mpdURL, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		asked++
		return answers(r), nil
	})})
	seg := Segment{URL: "https://cdn1.test/a"}
	for i := range 15 {
		seg.Alternatives = append(seg.Alternatives, fmt.Sprintf("https://cdn%d.test/a", i+2))
	}
	answers = func(r *http.Request) *http.Response {
		if r.URL.Host == "cdn1.test" {
			return answer(404, "")
		}
		return answer(403, "")
	}
	if _, _, err := s.FetchSegment(t.Context(), seg, 0); !strings.Contains(fmt.Sprint(err), "404") || asked != maxURLsTried {
		t.Errorf("%v after %d requests", err, asked)
	}
	asked, answers = 0, func(*http.Request) *http.Response { return answer(200, "longer than before") }
	if _, _, err := s.ResumeSegment(t.Context(), seg, 0, 4); ReasonOf(err) != ReasonSizeChanged || asked != 1 {
		t.Errorf("%v after %d requests", err, asked)
	}
	d, now := detours{}, time.Now()
	for i := range 2 * maxAvoided {
		d.avoid(fmt.Sprintf("https://h%d.test/a?b", i), now)
	}
	if len(d.until) != maxAvoided {
		t.Errorf("%d hosts are remembered", len(d.until))
	}
	if d.avoid("https://later.test", now.Add(avoidFor)); len(d.until) != 1 {
		t.Errorf("%d hosts are remembered later", len(d.until))
	}
}
