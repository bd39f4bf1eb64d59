package seeder_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// naming is a tracker that answers reports with a swarm id, and notes what is announced and reported.
type naming struct {
	*httptest.Server
	mu        sync.Mutex
	swarmID   string
	announced map[string]bool // by info hash; false once it was left
	reports   int
	reported  string
}

func newNaming(t *testing.T, swarmID string) *naming {
	t.Helper()
	n := &naming{swarmID: swarmID, announced: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/telemetry", n.telemetry)
	mux.HandleFunc("/announce", n.announce)
	n.Server = httptest.NewServer(mux)
	t.Cleanup(n.Close)
	return n
}

func (n *naming) telemetry(w http.ResponseWriter, r *http.Request) {
	var report telemetry.Report
	if err := json.NewDecoder(r.Body).Decode(&report); err != nil || report.Seeder == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	n.reports++
	n.reported = report.Seeder.SwarmID
	ack := telemetry.Acknowledgement{Acked: report.Counters, Boot: "b", SwarmID: n.swarmID}
	n.mu.Unlock()
	_ = json.NewEncoder(w).Encode(ack)
}

func (n *naming) announce(w http.ResponseWriter, r *http.Request) {
	conn, err := (&websocket.Upgrader{}).Upgrade(w, r, http.Header{"P2pstream-Tracker": {"1"}})
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	for {
		_, body, err := conn.ReadMessage()
		if err != nil {
			return
		}
		var m struct {
			Action   string `json:"action"`
			InfoHash string `json:"info_hash"`
			Event    string `json:"event"`
		}
		if json.Unmarshal(body, &m) == nil && m.Action == "announce" {
			n.mu.Lock()
			n.announced[m.InfoHash] = m.Event != "stopped"
			n.mu.Unlock()
		}
	}
}

func (n *naming) name(swarmID string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.swarmID = swarmID
}

func (n *naming) state() (in map[string]bool, reports int, reported string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	in = map[string]bool{}
	for hash, joined := range n.announced {
		if joined {
			in[hash] = true
		}
	}
	return in, n.reports, n.reported
}

// swarmsOf are the info hashes of a stream's renditions.
func swarmsOf(t *testing.T, source, swarmID string) map[string]bool {
	t.Helper()
	s, err := manifest.NewSource(manifest.SourceConfig{URL: source})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, r := range p.Renditions {
		for _, g := range identity.DefaultGenerations() {
			all[string(r.InfoHash(g, swarmID))] = true
		}
	}
	return all
}

// TestSeederGoesWhereTheTrackerSays, and reports at once when it sees a new event begin.
func TestSeederGoesWhereTheTrackerSays(t *testing.T) {
	var mu sync.Mutex
	list := func(name string, first, last int, end string) string {
		text := fmt.Sprintf("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
		for n := first; n <= last; n++ {
			text += fmt.Sprintf("#EXTINF:1,\n%s-%d.ts\n", name, n)
		}
		return text + end
	}
	const end = "#EXT-X-ENDLIST\n"
	text, looks := "", 0
	o := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case strings.HasSuffix(r.URL.Path, "m.m3u8"):
			_, _ = io.WriteString(w, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nv.m3u8\n")
		case strings.HasSuffix(r.URL.Path, "v.m3u8"):
			looks++
			_, _ = io.WriteString(w, text)
		default:
			_, _ = io.WriteString(w, r.URL.Path)
		}
	}))
	t.Cleanup(o.Close)
	put := func(to string) {
		mu.Lock()
		defer mu.Unlock()
		text, looks = to, 0
	}
	seen := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return looks > 2
	}
	put(list("a", 0, 7, ""))
	n := newNaming(t, "theirs")
	source := o.URL + "/m.m3u8"
	cfg := config(source, strings.TrimPrefix(n.URL, "http://"))
	cfg.ReportInterval = duration.Duration(1 << 40) // 18 min: what is reported is reported at once
	s, _ := startSeeder(t, cfg)
	in := func(swarmID string) func() bool {
		want := fmt.Sprint(swarmsOf(t, source, swarmID))
		return func() bool {
			got, _, _ := n.state()
			return fmt.Sprint(got) == want
		}
	}
	eventually(t, "the tracker's swarm to be joined", in("theirs"))
	eventually(t, "everything to be held", func() bool {
		all := s.Engine().Status().Renditions
		return len(all) == 1 && all[0].Held == 8
	})
	put(list("a", 0, 7, end))
	eventually(t, "the end to be seen", seen)
	if _, _, reported := n.state(); reported != "theirs" {
		t.Errorf("it reports that it is in %q", reported)
	}
	_, before, _ := n.state()
	n.name("theirs@t6mx0g")
	put(list("b", 0, 3, ""))
	eventually(t, "the new event's swarm to be joined", in("theirs@t6mx0g"))
	if _, after, _ := n.state(); after == before {
		t.Error("it did not report by itself")
	}
	eventually(t, "the new event to be held", func() bool {
		r := s.Engine().Status().Renditions[0]
		return r.Held == 4 && r.Known == 4
	})
	if got := s.Engine().SwarmID(); got != "theirs@t6mx0g" {
		t.Errorf("in %q", got)
	}
}
