package manifest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestRetryAfterIsSaid(t *testing.T) {
	for _, c := range []struct {
		status  int
		after   string
		want    time.Duration
		unasked float64 // of three requests
	}{
		{503, "7", 7 * time.Second, 0},
		{503, "", 0, 0},
		{429, "7", 7 * time.Second, 2},
		{429, "86400", time.Minute, 2},
		{429, "", 0, 0},
		{404, "7", 0, 0},
	} {
		t.Run(fmt.Sprint(c.status, c.after), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reg := prometheus.NewRegistry()
				s := newSource(t, SourceConfig{URL: base, Registerer: reg, Transport: fake(func(*http.Request) (*http.Response, error) {
					return answer(c.status, "", "Retry-After", c.after), nil
				})})
				_, master := s.Load(t.Context())
				_, media := s.LoadPlaylist(t.Context(), mainRendition)
				_, _, segment := s.FetchSegment(t.Context(), Segment{URL: base}, 0)
				for _, err := range []error{master, media, segment} {
					var e *Error
					if RetryAfter(err) != c.want || !errors.As(err, &e) || e.Status != c.status || e.Reason != ReasonStatus {
						t.Errorf("got %v with %v, want %v", err, RetryAfter(err), c.want)
					}
				}
				unasked := counted(t, reg, "p2pstream_manifest_unasked_total", "playlist") + counted(t, reg, "p2pstream_manifest_unasked_total", "segment")
				if unasked != c.unasked {
					t.Errorf("%v requests not sent, want %v", unasked, c.unasked)
				}
				if n := counted(t, reg, "p2pstream_manifest_retry_after_total", fmt.Sprint(c.status)); (n > 0) != (c.want > 0) {
					t.Errorf("%v answers counted", n)
				}
			})
		})
	}
	if RetryAfter(errors.New("other")) != 0 || RetryAfter(nil) != 0 {
		t.Error("an error of another kind asks for time")
	}
}

// TestCookiesOfTheManifest has an origin that wants the cookie which its manifest
// sets with every request.
func TestCookiesOfTheManifest(t *testing.T) {
	give := func(domain string) fake {
		return func(r *http.Request) (*http.Response, error) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/v.m3u8"):
				return answer(200, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv2.m3u8\n", "Set-Cookie", "hdntl=exp~1; Path=/"+domain), nil
			case r.Header.Get("Cookie") != "hdntl=exp~1":
				return answer(403, ""), nil
			case strings.HasSuffix(r.URL.Path, ".m3u8"):
				return answer(200, "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n"), nil
			}
			return answer(200, "x"), nil
		}
	}
	t.Run("kept", func(t *testing.T) {
		s := newSource(t, SourceConfig{URL: base, Transport: give("")})
		p, err := s.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.LoadPlaylist(t.Context(), p.Renditions[0])
		if err != nil {
			t.Fatal(err)
		}
		body, _, err := s.FetchSegment(t.Context(), list.Segments[0], 0)
		if err != nil {
			t.Fatal(err)
		}
		_ = body.Close()
		// Another source is another session.
		if _, err := newSource(t, SourceConfig{URL: base, Transport: give("")}).LoadPlaylist(t.Context(), p.Renditions[0]); ReasonOf(err) != ReasonStatus {
			t.Errorf("another source: %v", err)
		}
	})
	t.Run("not kept", func(t *testing.T) {
		reg := prometheus.NewRegistry()
		s := newSource(t, SourceConfig{URL: base, Transport: give("; Domain=example.org"), Registerer: reg})
		p, err := s.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.LoadPlaylist(t.Context(), p.Renditions[0])
		if ReasonOf(err) != ReasonStatus || !strings.Contains(err.Error(), "a cookie of cdn.example.com was not kept") {
			t.Errorf("got %v", err)
		}
		if n := counted(t, reg, "p2pstream_manifest_dropped_cookies_total", "other_domain"); n != 1 {
			t.Errorf("%v cookies counted", n)
		}
	})
}
