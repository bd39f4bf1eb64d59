package fetch

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/transit"
)

// TestALengthAloneTakesNoMemory has an origin claim much and send little.
func TestALengthAloneTakesNoMemory(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(60<<20))
		_, _ = io.WriteString(w, "little")
	}))
	defer origin.Close()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: origin.URL + "/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	budget := transit.NewBudget(0, 0)
	f := &Fetcher{Source: source, Transit: budget.Share(), Counters: &traffic.Recorder{}, MaxSegmentBytes: 64 << 20}
	room := 0
	data, total, err := f.Read(t.Context(), manifest.Segment{URL: origin.URL + "/s.ts"}, nil, -1, func(data []byte, _ int64) { room = max(room, cap(data)) })
	if manifest.ReasonOf(err) != manifest.ReasonTruncated || string(data) != "little" || total != 60<<20 || room > 2*maxClaimed {
		t.Errorf("%d bytes of %d in room for %d, %v", len(data), total, room, err)
	}
	if used, _, _ := budget.Stats(); used != int64(len(data)) {
		t.Errorf("%d bytes are counted", used)
	}
}

// TestBodiesThatTheConnectionEndsAreReadTwice has an origin of HTTP/1.0, whose process may end in the middle of a body.
func TestBodiesThatTheConnectionEndsAreReadTwice(t *testing.T) {
	for name, tt := range map[string]struct {
		bodies []string
		want   string
		ok     bool
	}{
		"both whole":         {[]string{"0123456789", "0123456789"}, "0123456789", true},
		"the first cut off":  {[]string{"01234", "0123456789"}, "", false},
		"the second cut off": {[]string{"0123456789", "01234"}, "", false},
		"of one size":        {[]string{"0123456789", "9876543210"}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					panic(err)
				}
				defer conn.Close()
				body := tt.bodies[min(int(requests.Add(1)), len(tt.bodies))-1]
				_, _ = io.WriteString(conn, "HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n"+body)
			}))
			defer origin.Close()
			source, err := manifest.NewSource(manifest.SourceConfig{URL: origin.URL + "/m.m3u8", SecondLook: true})
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			budget := transit.NewBudget(0, 0)
			f := &Fetcher{Source: source, Transit: budget.Share(), Counters: &traffic.Recorder{}, MaxSegmentBytes: 1 << 20}
			data, _, err := f.Read(t.Context(), manifest.Segment{URL: origin.URL + "/s.ts"}, nil, -1, func([]byte, int64) {})
			if string(data) != tt.want || (err == nil) != tt.ok {
				t.Errorf("%q, %v; want %q", data, err, tt.want)
			}
			if name == "of one size" && !errors.Is(err, errTwoBodies) {
				t.Errorf("%v, want %v", err, errTwoBodies)
			}
			if used, _, _ := budget.Stats(); used != int64(len(data)) || requests.Load() != 2 {
				t.Errorf("%d bytes are counted after %d requests", used, requests.Load())
			}
		})
	}
}
