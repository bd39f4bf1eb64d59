package shares

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	origin "github.com/p2pstream/p2pstream/runtime/origin"
	seeder "github.com/p2pstream/p2pstream/runtime/seeder/config"
	tracker "github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// The paths of the two streams.
const (
	calm    = "/media/calm"
	flooded = "/media/flooded"
)

// viewerPlaces is how many sockets viewers may have: fewer than there are attackers, so that who comes finds no place free.
const viewerPlaces = attackers * 6 / 10

const writerToken = "the token of the operator"

// network is one tracker with two streams, and a seeder of the calm one.
type network struct {
	tracker *program.Process
	listen  string // where viewers reach the tracker, host:port
}

func startNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{listen: lab.FreeAddress(t)}
	media := lab.FreeAddress(t)
	source := "http://" + media + stream.LivePath
	program.Start(t, program.Spec{Command: "origin", Config: origin.Config{Listen: media}, Ready: source})
	tokens := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(tokens, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cfg := tracker.Config{
		Listen: n.listen, AdminListen: lab.FreeAddress(t), DrainPeriod: tracker.Duration(time.Millisecond),
		Streams: &tracker.StreamsConfig{File: filepath.Join(tokens, "table.json"), TokenFile: file("writer", writerToken)},
		Limits:  tracker.LimitsConfig{Sockets: viewerPlaces * 100 / 99}, // the last one in a hundred is for seeders
	}
	n.tracker = program.Start(t, program.Spec{Command: "tracker", Admin: cfg.AdminListen, Config: cfg})
	n.serve(t, source, "calm", "flooded")
	admin := lab.FreeAddress(t)
	program.Start(t, program.Spec{Command: "seeder", Admin: admin, Config: seeder.Config{AdminListen: admin,
		Source: source, SwarmID: "calm", Trackers: []string{"ws://" + n.listen + calm + "/announce"}, TokenFile: file("calm", lab.Token+"calm"),
		Loopback: true, ICEListen: "127.0.0.1:0", ReportInterval: duration.Duration(time.Second), Drain: duration.Duration(time.Millisecond),
	}})
	lab.Eventually(t, program.StartTime, "the tracker to know both streams, and the seeder of one", func() error {
		c, f := n.stats(t, calm), n.stats(t, flooded)
		if !c.SeedersHold || len(swarms(f)) == 0 {
			b, err := json.Marshal(c)
			return errors.Join(errors.New(string(b)), err)
		}
		return nil
	})
	return n
}

// serve gives the tracker its table.
func (n *network) serve(t *testing.T, source string, names ...string) {
	t.Helper()
	all := table.Table{Revision: "1"}
	for _, name := range names {
		all.Streams = append(all.Streams, table.Entry{Namespace: "media", Name: name, UID: name,
			Stream:            tracker.StreamConfig{SourceURL: source, SwarmID: name, TelemetryInterval: tracker.Duration(time.Second)},
			SeederTokenHashes: []string{doors.HashOf(lab.Token + name).String()}})
	}
	body := lab.Must[[]byte](t)(json.Marshal(all))
	r := lab.Must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+n.tracker.Admin+table.Path, bytes.NewReader(body)))
	r.Header.Set("Authorization", "Bearer "+writerToken)
	resp := lab.Must[*http.Response](t)(lab.Client.Do(r))
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
		t.Fatalf("sending the table: %s", resp.Status)
	}
}

// stats is what the admin listener says of a stream.
func (n *network) stats(t testing.TB, path string) stats.Stats {
	t.Helper()
	return lab.Must[stats.Stats](t)(lab.FetchJSON[stats.Stats](context.Background(), "http://"+n.tracker.Admin+path+stats.Path))
}

// swarms are the info hashes of a stream, as text.
func swarms(s stats.Stats) (all []string) {
	for _, r := range s.Renditions {
		for _, w := range r.Swarms {
			all = append(all, w.InfoHash)
		}
	}
	return all
}
