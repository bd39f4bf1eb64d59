package tracker

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	dto "github.com/prometheus/client_model/go"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

const writerToken = "the token of the operator"

// film is an origin with a playlist under every path.
func film(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ".m3u8") {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\na.ts\n#EXTINF:6,\nb.ts\n#EXT-X-ENDLIST\n")
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func entryOf(name, url string) table.Entry {
	return table.Entry{Namespace: "media", Name: name, UID: name, Stream: StreamConfig{SourceURL: url},
		SeederTokenHashes: []string{doors.HashOf("seeder of " + name).String()}}
}

// tableConfig is a tracker's configuration whose table is kept in dir.
func tableConfig(t testing.TB, dir string) Config {
	t.Helper()
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte(writerToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Config{AdminListen: "127.0.0.1:0", Streams: &StreamsConfig{File: filepath.Join(dir, "table.json"), TokenFile: token}}
}

// put sends a table, and returns the status and the text of the answer.
func put(t testing.TB, s *Server, token string, body any) (int, string) {
	t.Helper()
	b, ok := body.([]byte)
	if !ok {
		var err error
		if b, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+s.AdminAddr().String()+table.Path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return do(t, r)
}

// mustPut sends a table that must be taken.
func mustPut(t testing.TB, s *Server, entries ...table.Entry) {
	t.Helper()
	if status, text := put(t, s, writerToken, table.Table{Revision: "r", Streams: entries}); status != http.StatusOK {
		t.Fatal(status, text)
	}
}

func do(t testing.TB, r *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// fetch gets a URL as a page would.
func fetch(t testing.TB, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://intranet.example.com")
	r.Header.Set("Authorization", "Bearer "+writerToken)
	return do(t, r)
}

func viewerConfig(t testing.TB, s *Server, prefix string) (out viewerapi.ViewerConfig) {
	t.Helper()
	status, text := fetch(t, "http://"+s.Addr().String()+prefix+"/v1/config")
	if status != http.StatusOK {
		t.Fatal(status, text)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// statsOf is what the admin listener says of a stream.
func statsOf(t testing.TB, s *Server, prefix string) (out stats.Stats) {
	t.Helper()
	status, text := fetch(t, "http://"+s.AdminAddr().String()+prefix+stats.Path)
	if status != http.StatusOK {
		t.Fatal(status, text)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func states(t testing.TB, s *Server) (out table.States) {
	t.Helper()
	_, text := fetch(t, "http://"+s.AdminAddr().String()+table.Path)
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(text, err)
	}
	return out
}

// swarmOf waits until a stream was read, and returns one of its info hashes.
func swarmOf(t testing.TB, s *Server, prefix string) (hash signaling.ID) {
	t.Helper()
	eventually(t, "the stream "+prefix+" to be read", func() bool {
		all := statsOf(t, s, prefix).Renditions
		if len(all) == 0 {
			return false
		}
		hash, _ = signaling.MakeID(all[0].Swarms[0].InfoHash)
		return true
	})
	return hash
}

// open dials a WebSocket; the status is that of a refusal.
func open(t testing.TB, url, token string) (*client, int) {
	t.Helper()
	header := http.Header{"Origin": {"https://intranet.example.com"}}
	if token != "" {
		header = http.Header{"Authorization": {"Bearer " + token}}
	}
	d := websocket.Dialer{HandshakeTimeout: patience}
	ws, resp, err := d.Dial(url, header)
	if err != nil {
		if resp == nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return nil, resp.StatusCode
	}
	t.Cleanup(func() { _ = ws.Close() })
	return &client{t, ws}, 0
}

// TestStreamsAreAddedChangedAndRemoved while the tracker runs, and one does not notice the others.
func TestStreamsAreAddedChangedAndRemoved(t *testing.T) {
	t.Parallel()
	origin, dir := film(t), t.TempDir()
	s := running(t, tableConfig(t, dir))
	if status, _ := put(t, s, "another token that is long", table.Table{}); status != http.StatusUnauthorized {
		t.Errorf("who has no token changes the table: %d", status)
	}
	one, two := entryOf("one", origin+"/one.m3u8"), entryOf("two", origin+"/two.m3u8")
	mustPut(t, s, one)
	first := viewerConfig(t, s, "/media/one")
	if !strings.Contains(first.Trackers[0], s.Addr().String()+"/media/one/announce?t=") ||
		!strings.HasSuffix(first.Telemetry.URL, "/media/one/v1/telemetry") || !strings.HasSuffix(first.Telemetry.ConfigURL, "/media/one/v1/config") {
		t.Errorf("%+v", first)
	}
	hash := swarmOf(t, s, "/media/one")
	staying, _ := open(t, first.Trackers[0], "")
	staying.send(announce(hash, peerID(1), 0))
	staying.expect(signaling.KindReply)

	mustPut(t, s, one, two)
	hashTwo := swarmOf(t, s, "/media/two")
	leaving, _ := open(t, viewerConfig(t, s, "/media/two").Trackers[0], "")
	leaving.send(announce(hashTwo, peerID(2), 0))
	leaving.expect(signaling.KindReply)
	leaving.send(announce(hash, peerID(2), 0))
	if m := leaving.expect(signaling.KindFailure); !strings.Contains(m.Failure, "not served") {
		t.Errorf("%+v", m)
	}
	eventually(t, "the figures are those of the stream", func() bool { // answers are kept for a moment
		got := statsOf(t, s, "/media/one")
		return got.ViewerSockets == 1 && got.Peers == 1 && got.Stream == "media/one"
	})

	wrong := two
	wrong.Stream.Settings = json.RawMessage(`[]`)
	if status, text := put(t, s, writerToken, table.Table{Streams: []table.Entry{one, wrong}}); status != http.StatusBadRequest || !strings.Contains(text, "streams[1] (media/two): stream.settings") {
		t.Errorf("%d %s", status, text)
	}
	changed := two
	changed.Stream.DisableUpload = true
	mustPut(t, s, one, changed)
	_ = leaving.gone()
	if c := viewerConfig(t, s, "/media/two"); !c.Settings.Core.IsP2PUploadDisabled {
		t.Errorf("%+v", c.Settings.Core)
	}
	one.SeederTokenHashes = append(one.SeederTokenHashes, doors.HashOf("rotated").String())
	mustPut(t, s, one)
	if status, _ := fetch(t, "http://"+s.Addr().String()+"/media/two/v1/config"); status != http.StatusNotFound {
		t.Errorf("a stream that was removed is served: %d", status)
	}
	if sd, status := open(t, "ws://"+s.Addr().String()+"/media/one/announce", "rotated"); sd == nil {
		t.Errorf("the new token is refused: %d", status)
	}
	staying.send(announce(hash, peerID(1), 0))
	staying.expect(signaling.KindReply)

	_, metrics := fetch(t, "http://"+s.AdminAddr().String()+"/metrics")
	if !strings.Contains(metrics, `p2pstream_tracker_stream_sockets{name="one",namespace="media",role="viewer"} 1`) || strings.Contains(metrics, `name="two"`) {
		t.Error(metrics)
	}
	// A tracker that begins with the file serves what this one does.
	again := running(t, tableConfig(t, dir))
	if got := states(t, again); got.Revision != "r" || len(got.Streams) != 1 || got.Streams[0].Name != "one" {
		t.Errorf("%+v", got)
	}
	if c := viewerConfig(t, again, "/media/one"); c.StreamURL != one.Stream.SourceURL {
		t.Errorf("%+v", c)
	}
}

// TestEachStreamHasItsOwnDoor: tickets and tokens of one stream open no other, and nothing else opens any.
func TestEachStreamHasItsOwnDoor(t *testing.T) {
	t.Parallel()
	origin := film(t)
	s := running(t, tableConfig(t, t.TempDir()))
	two := entryOf("two", origin+"/two.m3u8")
	two.AllowedOrigins = []string{"https://other.example.com"}
	mustPut(t, s, entryOf("one", origin+"/one.m3u8"), two)
	at := "ws://" + s.Addr().String()
	ticket := viewerConfig(t, s, "/media/one").Telemetry.Session
	forTwo, err := s.keys.current().Issue("media/two", "", time.Hour, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, token string
		want        int
	}{
		{"/media/one/announce?t=" + ticket, "", 0},
		{"/media/two/announce?t=" + ticket, "", http.StatusForbidden}, // the page's origin
		{"/media/one/announce?t=" + forTwo, "", http.StatusUnauthorized},
		{"/media/one/announce", "", http.StatusUnauthorized},
		{"/media/three/announce?t=" + ticket, "", http.StatusNotFound},
		{"/other", "", http.StatusNotFound},
		{"/media/one/announce", "seeder of one", 0},
		{"/media/two/announce", "seeder of one", http.StatusUnauthorized},
		{"/announce", "seeder of two", 0},
		{"/announce", "seeder of three", http.StatusUnauthorized},
		{"/media/two/announce", doors.HashOf("seeder of two").String(), http.StatusUnauthorized},
	} {
		if _, status := open(t, at+c.path, c.token); status != c.want {
			t.Errorf("%s with %q: %d, want %d", c.path, c.token, status, c.want)
		}
	}
	for path, want := range map[string]int{"/media/one/player": 200, "/media/one/p2pstream.js": 200, "/media/one/player/player.js": 200,
		"/v1/config": 404, "/player": 404, "/media/one": 426, "/announce": 426, "/media/one/announce": 426, "/media/two/v1/config": 403, "/media/x/v1/config": 404} {
		if status, _ := fetch(t, "http://"+s.Addr().String()+path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	eventually(t, "two seeders", func() bool {
		return statsOf(t, s, "/media/one").SeederSockets == 1 && statsOf(t, s, "/media/two").SeederSockets == 1
	})
}

// TestTheFirstAnnounceSaysWhichStream at the path that all streams have in common.
func TestTheFirstAnnounceSaysWhichStream(t *testing.T) {
	t.Parallel()
	origin := film(t)
	s := running(t, tableConfig(t, t.TempDir()))
	open1 := entryOf("open", origin+"/open.m3u8")
	open1.Stream.Tickets.Optional = true
	mustPut(t, s, entryOf("one", origin+"/one.m3u8"), open1)
	hash, free := swarmOf(t, s, "/media/one"), swarmOf(t, s, "/media/open")
	eventually(t, "both swarms to be known", func() bool { return s.streams.owner(hash) != nil && s.streams.owner(free) != nil })
	common := "ws://" + s.Addr().String() + "/announce"
	ticket := viewerConfig(t, s, "/media/one").Telemetry.Session

	c, _ := open(t, common+"?t="+ticket, "")
	c.send(`{"action":"scrape"}`)
	c.expect(signaling.KindFailure)
	c.send(announce(hashOne, peerID(1), 0))
	c.expect(signaling.KindFailure)
	c.send(announce(hash, peerID(1), 0))
	c.expect(signaling.KindReply)
	if a := s.streams.at1("/media/one").Audience(); a.ViewerSockets != 1 || s.streams.visitors.group.Viewers() != 0 {
		t.Errorf("%+v, %d visitors", a, s.streams.visitors.group.Viewers())
	}
	c.send(announce(free, peerID(1), 0)) // a socket is of one stream
	c.expect(signaling.KindFailure)

	none, _ := open(t, common, "")
	none.send(announce(hash, peerID(2), 0))
	none.expect(signaling.KindFailure)
	_ = none.gone()
	without, _ := open(t, common, "")
	without.send(announce(free, peerID(3), 0))
	without.expect(signaling.KindReply)
}

// at1 is at for tests.
func (s *streams) at1(path string) *stream {
	st, _ := s.at(path + "/")
	return st
}

// TestOfTwoStreamsWithOneSwarmTheFirstHasIt, and the other one is told, until the first is gone.
func TestOfTwoStreamsWithOneSwarmTheFirstHasIt(t *testing.T) {
	t.Parallel()
	origin := film(t)
	s := running(t, tableConfig(t, t.TempDir()))
	older, younger := entryOf("older", origin+"/m.m3u8"), entryOf("younger", origin+"/m.m3u8")
	mustPut(t, s, older, younger)
	problem := func() table.Problem {
		st, ok := states(t, s).Served(table.Key{Namespace: "media", Name: "younger"})
		if !ok {
			t.Fatal("it is not served")
		}
		return st.Problem
	}
	hash := swarmOf(t, s, "/media/older")
	eventually(t, "the younger to be told", func() bool { return problem() == table.ProblemSwarmTaken })
	c, _ := open(t, viewerConfig(t, s, "/media/younger").Trackers[0], "")
	c.send(announce(hash, peerID(1), 0))
	c.expect(signaling.KindFailure)
	sd, _ := open(t, "ws://"+s.Addr().String()+"/media/younger/announce", "seeder of younger")
	sd.send(announce(hash, peerID(2), 0))
	sd.expect(signaling.KindFailure)
	mustPut(t, s, younger)
	eventually(t, "the younger to have the swarm", func() bool { return problem() == "" })
	c.send(announce(hash, peerID(1), 0))
	c.expect(signaling.KindReply)
}

// TestASwarmIsItsStreamsBeforeThatIsRead: it does not fall to a later stream while the origin of the first cannot be reached.
func TestASwarmIsItsStreamsBeforeThatIsRead(t *testing.T) {
	t.Parallel()
	origin := film(t)
	s := running(t, tableConfig(t, t.TempDir()))
	older, younger := entryOf("older", origin+"/missing"), entryOf("younger", origin+"/m.m3u8")
	older.Stream.SwarmID, younger.Stream.SwarmID = "town-hall", "town-hall"
	mustPut(t, s, older, younger)
	state := func(name string) table.State {
		st, ok := states(t, s).Served(table.Key{Namespace: "media", Name: name})
		if !ok {
			t.Fatal("it is not served")
		}
		return st
	}
	eventually(t, "the younger to be read", func() bool { return state("younger").Read })
	hash := swarmOf(t, s, "/media/younger")
	if state("older").Read || state("younger").Problem != table.ProblemSwarmTaken {
		t.Errorf("%+v, %+v", state("older"), state("younger"))
	}
	c, _ := open(t, viewerConfig(t, s, "/media/younger").Trackers[0], "")
	eventually(t, "announces to fail", func() bool { return s.streams.at1("/media/younger").hub.denies(hash) })
	c.send(announce(hash, peerID(1), 0))
	c.expect(signaling.KindFailure)
	if owner := s.streams.claims.owner(hash); owner != nil {
		t.Errorf("the swarm is %s's", owner.key)
	}
	mustPut(t, s, younger)
	eventually(t, "the younger to have the swarm", func() bool { return state("younger").Problem == "" && s.streams.claims.owner(hash) != nil })
}

// TestABasePathComesBeforeAllPaths, whether the entrance removes it or not.
func TestABasePathComesBeforeAllPaths(t *testing.T) {
	t.Parallel()
	origin := film(t)
	cfg := tableConfig(t, t.TempDir())
	cfg.BasePath = "/ecdn"
	s := running(t, cfg)
	mustPut(t, s, entryOf("one", origin+"/one.m3u8"))
	for _, prefix := range []string{"/ecdn/media/one", "/media/one"} {
		c := viewerConfig(t, s, prefix)
		if !strings.Contains(c.Trackers[0], "/ecdn/media/one/announce") || !strings.Contains(c.Telemetry.URL, "/ecdn/media/one/v1/") {
			t.Errorf("%+v", c)
		}
		if _, status := open(t, c.Trackers[0], ""); status != 0 {
			t.Errorf("%s: %d", c.Trackers[0], status)
		}
	}
	alone := running(t, Config{BasePath: "/ecdn", Stream: &StreamConfig{SourceURL: origin + "/m.m3u8"}})
	if c := viewerConfig(t, alone, "/ecdn"); !strings.Contains(c.Trackers[0], alone.Addr().String()+"/ecdn/announce") {
		t.Errorf("%+v", c)
	}
}

// TestATableThatCannotBeKeptIsNotTaken: after a restart, the tracker would serve other streams.
func TestATableThatCannotBeKeptIsNotTaken(t *testing.T) {
	t.Parallel()
	cfg := tableConfig(t, t.TempDir())
	cfg.Streams.File = filepath.Join(t.TempDir(), "missing", "table.json")
	s := running(t, cfg)
	if status, text := put(t, s, writerToken, table.Table{Streams: []table.Entry{entryOf("one", "http://127.0.0.1:1/m.m3u8")}}); status != http.StatusInternalServerError || len(states(t, s).Streams) != 0 {
		t.Errorf("%d %s", status, text)
	}
	answer := httptest.NewRecorder()
	s.takeTable(answer, httptest.NewRequest(http.MethodPut, table.Path, bytes.NewReader(make([]byte, table.MaxBytes+1))))
	if answer.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a table that is too long: %d", answer.Code)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(cfg.Streams.TokenFile), "table.json"), []byte(`{"streams":[{}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Streams.File = filepath.Join(filepath.Dir(cfg.Streams.TokenFile), "table.json")
	damaged := running(t, cfg)
	if got := states(t, damaged); len(got.Streams) != 0 || got.Revision != "" {
		t.Errorf("a damaged file: %+v", got)
	}
	if b, err := os.ReadFile(cfg.Streams.File + damagedSuffix); err != nil || string(b) != `{"streams":[{}]}` {
		t.Errorf("the damaged file is not kept: %s %v", b, err)
	}
	mustPut(t, damaged, entryOf("one", "http://127.0.0.1:1/m.m3u8"))
	if got := states(t, running(t, cfg)); len(got.Streams) != 1 {
		t.Errorf("the table that followed: %+v", got)
	}
}

// TestASourceIsNotTheTrackerItself: its admin listener shows the statistics of other streams.
func TestASourceIsNotTheTrackerItself(t *testing.T) {
	t.Parallel()
	s := running(t, tableConfig(t, t.TempDir()))
	inside := "http://" + s.AdminAddr().String() + "/media/one" + stats.Path + "?accumulate=1"
	away := httptest.NewServer(http.RedirectHandler(inside, http.StatusFound))
	t.Cleanup(away.Close)
	mustPut(t, s, entryOf("one", film(t)+"/one.m3u8"), entryOf("direct", inside), entryOf("redirect", away.URL+"/m.m3u8"))
	swarmOf(t, s, "/media/one") // other sources are read
	for _, name := range []string{"direct", "redirect"} {
		var state table.State
		eventually(t, "what is wrong with "+name, func() bool {
			state, _ = states(t, s).Served(table.Key{Namespace: "media", Name: name})
			return state.Problem == table.ProblemSource
		})
		if !strings.Contains(state.Detail, "no origin may be at this address") {
			t.Errorf("%s: %s", name, state.Detail)
		}
	}
	port := s.AdminAddr().(*net.TCPAddr).AddrPort().Port()
	for address, want := range map[string]bool{"127.0.0.1": true, "127.9.9.9": true, "::1": true, "0.0.0.0": true, "192.0.2.77": false} {
		if got := s.isAdmin(netip.AddrPortFrom(netip.MustParseAddr(address), port)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

// TestATableThatIsNotTakenLeavesNothing: who sends it does so again and again, for example while the disk is full.
func TestATableThatIsNotTakenLeavesNothing(t *testing.T) {
	cfg := tableConfig(t, t.TempDir())
	cfg.Streams.File = filepath.Join(t.TempDir(), "missing", "table.json")
	s := running(t, cfg)
	var entries []table.Entry
	for i := range 20 {
		entries = append(entries, entryOf(fmt.Sprint("s", i), "http://127.0.0.1:1/m.m3u8"))
	}
	held := func(times int) uint64 {
		for range times {
			if err := s.streams.change(table.Table{Streams: entries}, true); err == nil {
				t.Fatal("it is taken")
			}
		}
		var m goruntime.MemStats
		goruntime.GC()
		goruntime.GC()
		goruntime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held(1)
	if after := held(20); after > before+4<<20 {
		t.Errorf("20 tables of 20 streams that were not taken leave %d KiB", (after-before)>>10)
	}
}

// TestATrackerBeginsWithTheTableItIsGiven, unless it has one of its own, and without streams if that cannot be used.
func TestATrackerBeginsWithTheTableItIsGiven(t *testing.T) {
	t.Parallel()
	origin := film(t)
	body := func(name string) []byte {
		raw, err := json.Marshal(table.Table{Revision: "of " + name, Streams: []table.Entry{entryOf(name, origin+"/"+name+".m3u8")}})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	var packed, bomb bytes.Buffer
	for b, plain := range map[*bytes.Buffer][]byte{&packed: body("given"), &bomb: bytes.Repeat([]byte(" "), 3*table.MaxBytes)} {
		w := gzip.NewWriter(b)
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		own, given []byte
		want       string // revision
		refused    float64
	}{
		"packed":                {nil, packed.Bytes(), "of given", 0},
		"as it is":              {nil, body("given"), "of given", 0},
		"it has one of its own": {body("kept"), packed.Bytes(), "of kept", 0},
		"none":                  {nil, nil, "", 0},
		"empty":                 {nil, []byte{}, "", 1},
		"cut":                   {nil, packed.Bytes()[:packed.Len()/2], "", 1},
		"invalid":               {nil, []byte(`{"streams":[{}]}`), "", 1},
		"too large":             {nil, bomb.Bytes(), "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := tableConfig(t, t.TempDir())
			cfg.Streams.InitialFile = filepath.Join(t.TempDir(), "table.json.gz")
			for file, content := range map[string][]byte{cfg.Streams.File: tt.own, cfg.Streams.InitialFile: tt.given} {
				if content == nil {
					continue
				}
				if err := os.WriteFile(file, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := running(t, cfg)
			now := states(t, s)
			if now.Revision != tt.want || len(now.Streams) != map[bool]int{true: 1, false: 0}[tt.want != ""] {
				t.Errorf("%+v", now)
			}
			var counted dto.Metric
			if err := s.streams.refused.WithLabelValues(tableInitial).Write(&counted); err != nil || counted.GetCounter().GetValue() != tt.refused {
				t.Errorf("%v tables refused, %v", counted.GetCounter().GetValue(), err)
			}
		})
	}
}
