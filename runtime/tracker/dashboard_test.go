package tracker

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// look gets a URL as a person does, without an Origin.
func look(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, r)
}

// TestDashboardOfOneStream: the admin listener has it, the public one only if so configured.
func TestDashboardOfOneStream(t *testing.T) {
	for name, public := range map[string]bool{"private": false, "public": true} {
		s := running(t, Config{AdminListen: "127.0.0.1:0", Dashboard: public, Stream: &StreamConfig{SourceURL: film(t) + "/film.m3u8"}})
		for _, path := range []string{"/dashboard", "/dashboard/dashboard.js", viewerapi.HistoryPath, viewerapi.HistoryCSVPath} {
			if status, _ := look(t, "http://"+s.AdminAddr().String()+path); status != http.StatusOK {
				t.Errorf("%s: %s on the admin listener: %d", name, path, status)
			}
			want := http.StatusNotFound
			if public {
				want = http.StatusOK
			}
			if status, _ := look(t, "http://"+s.Addr().String()+path); status != want {
				t.Errorf("%s: %s: %d, want %d", name, path, status, want)
			}
		}
		if status, _ := look(t, "http://"+s.AdminAddr().String()+"/player"); status != http.StatusNotFound {
			t.Errorf("%s: the admin listener has a player: %d", name, status)
		}
	}
}

// TestDashboardOfEachStream: with a table, each stream has its own under its path.
func TestDashboardOfEachStream(t *testing.T) {
	cfg := tableConfig(t, t.TempDir())
	cfg.Dashboard, cfg.BasePath = true, "/ecdn"
	s := running(t, cfg)
	source := film(t)
	mustPut(t, s, entryOf("first", source+"/1.m3u8"), entryOf("second", source+"/2.m3u8"))
	for _, base := range []string{s.AdminAddr().String() + "/media/", s.Addr().String() + "/media/", s.Addr().String() + "/ecdn/media/"} {
		for _, name := range []string{"first", "second"} {
			status, page := look(t, "http://"+base+name+"/dashboard")
			if status != http.StatusOK || !strings.Contains(page, `src="dashboard/dashboard.js?h=`) {
				t.Errorf("%s%s: %d", base, name, status)
			}
			if status, _ := look(t, "http://"+base+name+"/dashboard/dashboard.js"); status != http.StatusOK {
				t.Errorf("%s%s: script: %d", base, name, status)
			}
			status, text := look(t, "http://"+base+name+viewerapi.HistoryPath)
			if status != http.StatusOK || !strings.Contains(text, `"stream":"media/`+name+`"`) {
				t.Errorf("%s%s: %d %s", base, name, status, text)
			}
		}
		for _, path := range []string{"third/dashboard", "third/v1/history"} {
			if status, _ := look(t, "http://"+base+path); status != http.StatusNotFound {
				t.Errorf("%s%s: %d", base, path, status)
			}
		}
	}
}

// TestDashboardOfAllStreams: with a table, the admin listener has one of all streams, and the public one if so configured.
func TestDashboardOfAllStreams(t *testing.T) {
	for name, public := range map[string]bool{"private": false, "public": true} {
		cfg := tableConfig(t, t.TempDir())
		cfg.Dashboard, cfg.BasePath = public, "/ecdn"
		s := running(t, cfg)
		source := film(t)
		mustPut(t, s, entryOf("first", source+"/1.m3u8"), entryOf("second", source+"/2.m3u8"))
		s.streams.sample()
		for _, path := range []string{"/dashboard", "/dashboard/dashboard.js", viewerapi.HistoryPath, viewerapi.HistoryCSVPath} {
			status, text := look(t, "http://"+s.AdminAddr().String()+path)
			if status != http.StatusOK {
				t.Errorf("%s: %s on the admin listener: %d", name, path, status)
			}
			if path == viewerapi.HistoryPath && (!strings.Contains(text, `"of":"tracker","streams":2`) || !strings.Contains(text, `"name":"first","known":true`)) {
				t.Errorf("%s: %s", name, text)
			}
			want := http.StatusNotFound
			if public {
				want = http.StatusOK
			}
			for _, base := range []string{"", "/ecdn"} {
				if status, text := look(t, "http://"+s.Addr().String()+base+path); status != want {
					t.Errorf("%s: %s%s: %d, want %d: %s", name, base, path, status, want, text)
				}
			}
		}
	}
}

// TestDashboardOfAllStreamsIsGuarded: who may not watch a stream does not see sums that tell of it.
func TestDashboardOfAllStreamsIsGuarded(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	if err := os.Mkdir(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(keys, "one.key"), []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := tableConfig(t, dir)
	cfg.Dashboard, cfg.SeederToken, cfg.Streams.FilesDir = true, "secret-of-all-streams", dir
	s := running(t, cfg)
	source := film(t)
	open, guarded := entryOf("open", source+"/1.m3u8"), entryOf("guarded", source+"/2.m3u8")
	guarded.Stream.ViewerTokens = &TokensConfig{KeysDir: keys}
	ask := func(token string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr().String()+viewerapi.HistoryPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		status, _ := do(t, r)
		return status
	}
	mustPut(t, s, open)
	if status := ask(""); status != http.StatusOK {
		t.Errorf("without a guarded stream: %d", status)
	}
	mustPut(t, s, open, guarded)
	for token, want := range map[string]int{"": http.StatusUnauthorized, "guess": http.StatusUnauthorized, cfg.SeederToken: http.StatusOK} {
		if status := ask(token); status != want {
			t.Errorf("token %q: %d, want %d", token, status, want)
		}
	}
}

// TestTheTrackerRemembers: the history has what the statistics say.
func TestTheTrackerRemembers(t *testing.T) {
	s := running(t, Config{AdminListen: "127.0.0.1:0", Stream: &StreamConfig{SourceURL: film(t) + "/film.m3u8"}})
	dial(t, s, nil, "?t="+ticketOf(t, s))
	eventually(t, "the viewer to be remembered", func() bool {
		s.streams.only.viewers.Record() // as the tracker does every ten seconds
		_, text := look(t, "http://"+s.AdminAddr().String()+viewerapi.HistoryPath+"?from=-1m")
		var told struct {
			History struct{ ViewersMost []*float64 }
		}
		if err := json.Unmarshal([]byte(text), &told); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(told.History.ViewersMost, func(v *float64) bool { return v != nil && *v == 1 })
	})
}

// TestTheTrackerTakesSamples: without being asked.
func TestTheTrackerTakesSamples(t *testing.T) {
	s := running(t, Config{AdminListen: "127.0.0.1:0", Stream: &StreamConfig{SourceURL: film(t) + "/film.m3u8"}})
	eventually(t, "the first sample", func() bool { return !s.streams.only.viewers.Recorded().IsZero() })
}
