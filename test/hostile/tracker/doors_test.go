package tracker

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/peer"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// closed starts a stream whose tracker is as a new user gets it: with its doors closed.
func closed(t *testing.T, change func(*config.Config)) *scene {
	return &scene{Stream: stream.Start(t, stream.Options{Tracker: func(c *config.Config) {
		c.Stream.AnySwarm = false
		if change != nil {
			change(c)
		}
	}})}
}

// door is what a page or a program asks of the tracker, with the status that it must get.
type door struct {
	name    string
	headers []string
	path    string // of the upgrade; with the ticket of a new session when it ends with "?t="
	want    int
}

// somePage is the header of a page that a tracker without a list of origins serves.
const somePage = "Origin: https://page.example"

// settingsFor asks for settings as a page of that origin, from an address of attackers.
func settingsFor(t testing.TB, s *scene, headers ...string) (status int, cfg struct {
	Trackers  []string
	Telemetry struct{ URL, Session string }
}) {
	t.Helper()
	req := lab.Must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, s.HTTP("/v1/config"), nil))
	req.Header["Origin"] = nil // none, unless it is one of the headers
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	resp, err := httpClient(t, newOrigin()).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body := lab.Must[[]byte](t)(io.ReadAll(resp.Body))
	if err := json.Unmarshal(body, &cfg); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return resp.StatusCode, cfg
}

// TestClosedDoors: what a tracker with a stream refuses by default, with the reason, and what it counts.
func TestClosedDoors(t *testing.T) {
	t.Parallel()
	const intranet = "https://intranet.example"
	s := closed(t, func(c *config.Config) { c.AllowedOrigins = []string{intranet} })
	// The page of the bystander: what is allowed stays allowed beside all attacks.
	status, cfg := settingsFor(t, s, "Origin: "+intranet)
	if status != http.StatusOK || len(cfg.Trackers) != 1 {
		t.Fatalf("settings of an allowed page: %d %+v", status, cfg)
	}
	announce := lab.Must[*url.URL](t)(url.Parse(cfg.Trackers[0]))
	own := announce.RequestURI()
	if announce.Query().Get("t") == "" {
		t.Errorf("the announce URL carries no ticket: %s", announce)
	}
	forged := strings.Replace(own, "t=", "t=A", 1)
	for _, d := range []door{
		{"an allowed page", []string{"Origin: " + intranet}, own, 101},
		{"an allowed page, again", []string{"Origin: " + intranet}, own, 101},
		{"a page without a ticket", []string{"Origin: " + intranet}, "/announce", 401},
		{"a page with a forged ticket", []string{"Origin: " + intranet}, forged, 401},
		{"a page with no text as its ticket", []string{"Origin: " + intranet}, "/announce?t=", 401},
		{"a foreign page", []string{"Origin: https://evil.example"}, own, 403},
		{"a page under a name of its own for the tracker", []string{"Host: evil.example", "Origin: http://evil.example"}, own, 403},
		{"a program without an origin and without a ticket", nil, "/announce", 403},
		{"a seeder", []string{"Authorization: Bearer " + lab.Token}, "/announce", 101},
	} {
		t.Run("upgrade of "+d.name, func(t *testing.T) {
			ws, resp, err := upgradeAt(s.Listen, newOrigin(), d.path, d.headers...)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = ws.Close() }()
			if resp.StatusCode != d.want {
				t.Errorf("%s, want %d", resp.Status, d.want)
			}
		})
	}
	for name, d := range map[string]door{
		"an allowed page": {headers: []string{"Origin: " + intranet}, want: 200},
		"a foreign page":  {headers: []string{"Origin: https://evil.example"}, want: 403},
		"a page under a name of its own for the tracker": {headers: []string{"Host: evil.example", "Origin: http://evil.example"}, want: 403},
		"a program without an origin":                    {want: 403},
		"the same, and a rebound name":                   {headers: []string{"Host: evil.example", "Sec-Fetch-Site: same-origin"}, want: 403},
		"a program with a credential":                    {headers: []string{"Authorization: Bearer " + lab.Token}, want: 200},
	} {
		t.Run("settings for "+name, func(t *testing.T) {
			if got, _ := settingsFor(t, s, d.headers...); got != d.want {
				t.Errorf("%d, want %d", got, d.want)
			}
		})
	}
	m := s.Tracker.Metrics(t)
	for _, limit := range []string{"no_ticket", "forged_ticket", "origin", "no_origin"} {
		if m.Sum("p2pstream_tracker_sockets_refused_total", fmt.Sprintf("limit=%q", limit)) == 0 {
			t.Errorf("nothing counted as %s", limit)
		}
	}
}

// TestForeignSwarms: a tracker with a stream serves no other swarm, and none before it has read the stream, except to
// seeders; viewers of the stream do not notice the attempts.
func TestForeignSwarms(t *testing.T) {
	t.Parallel()
	s := closed(t, nil)
	viewers := bystander.Watch(t, s.Stream, 2)
	_, cfg := settingsFor(t, s, somePage)
	u := lab.Must[*url.URL](t)(url.Parse(cfg.Trackers[0]))
	ws, resp, err := upgradeAt(s.Listen, newOrigin(), u.RequestURI())
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(err, resp)
	}
	defer func() { _ = ws.Close() }()
	s.limited(t, 50, "info_hash_not_served", func() {
		for range 50 {
			refusedSwarm(t, ws, peer.NewID())
		}
	})
	viewers.Unharmed(t)
}

// refusedSwarm fails the test unless an announce of that swarm fails with a reason.
func refusedSwarm(t testing.TB, ws *socket, hash signaling.ID) {
	t.Helper()
	ws.announce(hash, peer.NewID(), 1)
	m, ok := ws.message(program.StartTime, func(m signaling.TrackerMessage) bool { return m.InfoHash == hash || m.Failure != "" })
	if !ok || m.Failure == "" {
		t.Fatalf("a foreign swarm is served: %+v", m)
	}
}

// TestBeforeTheStreamIsRead: the tracker does not know its swarms yet.
func TestBeforeTheStreamIsRead(t *testing.T) {
	t.Parallel()
	admin, listen := lab.FreeAddress(t), lab.FreeAddress(t)
	p := program.Start(t, program.Spec{Command: "tracker", Admin: admin, Config: config.Config{
		Listen: listen, AdminListen: admin, SeederToken: lab.Token, SessionKey: lab.SessionKey,
		Stream: &config.StreamConfig{SourceURL: "http://" + lab.FreeAddress(t) + "/m.m3u8", SwarmID: lab.SwarmID},
	}})
	s := &scene{Stream: &stream.Stream{Tracker: p, Listen: listen}}
	_, cfg := settingsFor(t, s, somePage)
	u := lab.Must[*url.URL](t)(url.Parse(cfg.Trackers[0]))
	ws, resp, err := upgradeAt(listen, newOrigin(), u.RequestURI())
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(err, resp)
	}
	defer func() { _ = ws.Close() }()
	refusedSwarm(t, ws, peer.NewID())
	seeder, resp, err := upgradeAt(listen, newOrigin(), "/announce", "Authorization: Bearer "+lab.Token)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(err, resp)
	}
	defer func() { _ = seeder.Close() }()
	hash := peer.NewID()
	seeder.announce(hash, peer.NewID(), 0)
	if m, ok := seeder.message(10*time.Second, func(m signaling.TrackerMessage) bool { return m.InfoHash == hash }); !ok || m.Failure != "" {
		t.Errorf("a seeder before the stream is read: %+v", m)
	}
}
