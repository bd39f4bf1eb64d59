package fetch

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
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
