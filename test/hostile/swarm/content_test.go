package swarm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	seeder "github.com/p2pstream/p2pstream/runtime/seeder/config"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// TestWrongContent shows what cannot be checked: a peer that gives other bytes than the origin's is believed, unless the
// viewer verifies, and then it reports that. docs/limits.md says so.
func TestWrongContent(t *testing.T) {
	t.Parallel()
	s := stream.Start(t, stream.Options{NoSeeder: true})
	c := newCrossroads(t, infoHash(t, s.Source))
	admin := lab.FreeAddress(t)
	v := program.Start(t, program.Spec{Command: "viewer", Admin: admin, Config: viewer.Config{
		Source: s.Source, SwarmID: lab.SwarmID, Trackers: []string{c.url()}, Verify: true, Loopback: true,
	}, Args: []string{"--headless", "--json", "--admin-listen", admin}})
	wrong := make([]byte, 50_000)
	liar := meet(t, c.member(t, identity.ViewerPrefix), manner{heard: func(s *stranger, c wire.Command) {
		if c.Code == wire.SegmentRequest {
			s.send(encode(wire.Command{Code: wire.SegmentData, SegmentID: c.SegmentID, RequestID: c.RequestID, Size: int64(len(wrong)) - c.From}))
			s.send(wrong[c.From:])
			s.send(encode(wire.Command{Code: wire.SegmentDataSendingCompleted, SegmentID: c.SegmentID, RequestID: c.RequestID}))
		}
	}})
	lab.Eventually(t, 45*time.Second, "the viewer to take something from the stranger, and to notice", func() bool {
		around := wire.Command{Code: wire.SegmentsAnnouncement}
		for id := edge() - 8; id < edge()+16; id++ {
			around.Loaded = append(around.Loaded, id)
		}
		liar.send(encode(around))
		return strings.Contains(v.LogText(), "segment differs from the origin's")
	})
	liar.connected()
	var exit *exec.ExitError
	if err := v.Terminate(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("a viewer with wrong bytes ended with: %v, want exit code 1", err)
	}
	var r viewer.Report
	if err := json.Unmarshal(v.Output(), &r); err != nil || r.Total.DigestErrors == 0 || r.Total.Stalls != 0 {
		t.Errorf("%v, %s", err, v.Output())
	}
}

// TestManifestOfAThousand gives a seeder a manifest that names a thousand renditions, each of thousands of segments.
func TestManifestOfAThousand(t *testing.T) {
	t.Parallel()
	var master, list strings.Builder
	master.WriteString("#EXTM3U\n")
	for i := range 999 {
		_, _ = fmt.Fprintf(&master, "#EXT-X-STREAM-INF:BANDWIDTH=%d,RESOLUTION=%dx%d\n%d.m3u8\n", i+1, i+1, i+1, i)
	}
	list.WriteString("#EXTM3U\n#EXT-X-TARGETDURATION:1\n")
	for i := range 19_999 {
		_, _ = fmt.Fprintf(&list, "#EXTINF:0,\n%d.ts\n", i)
	}
	list.WriteString("#EXT-X-ENDLIST\n")
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/master"):
			_, _ = io.WriteString(w, master.String())
		case strings.HasSuffix(r.URL.Path, ".m3u8"):
			_, _ = io.WriteString(w, list.String())
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(origin.Close)
	admin := lab.FreeAddress(t)
	c := newCrossroads(t, identity.InfoHash(strings.Repeat("A", 20)))
	// It is never ready, since it never holds the stream.
	p := program.Start(t, program.Spec{Command: "seeder", Admin: admin, Ready: "http://" + admin + "/healthz", Config: seeder.Config{
		Source: origin.URL + "/master.m3u8", Trackers: []string{c.url()}, Loopback: true, ICEListen: "127.0.0.1:0", AdminListen: admin,
	}})
	lab.Eventually(t, 30*time.Second, "the seeder to know the renditions", func() bool {
		return p.Metrics(t).Sum("p2pstream_loader_renditions") == loader.MaxRenditions
	})
	watch := bystander.Measure(t, p)
	// All that fit have been read, and the others refused. Playlists that a busy machine does not read within a try are
	// read in the next one.
	lab.Eventually(t, 3*time.Minute, "as many segments as may be", func() bool {
		return p.Metrics(t).Sum("p2pstream_loader_segments") > loader.MaxSegments-20_000
	})
	watch.Check(t, bystander.Bounds{Memory: 768 << 20, Log: 64 << 10, Rest: 1, RestWithin: 30 * time.Second})
	if n := p.Metrics(t).Sum("p2pstream_loader_segments"); n > loader.MaxSegments {
		t.Errorf("%v segments are known", n)
	}
}
