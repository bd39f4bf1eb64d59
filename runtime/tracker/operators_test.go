package tracker

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// asks sends a request to the admin listener, with a token or none, and returns the status.
func asks(t *testing.T, s *Server, path, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.AdminAddr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// TestWhatChangesTheTrackerAsksForItsOperator: readings that count as kept, and places to wait for arrivals, are for who has the
// operator's token. What Prometheus, probes and people read stays open.
func TestWhatChangesTheTrackerAsksForItsOperator(t *testing.T) {
	t.Parallel()
	const token, other = "the token of an operator", "another token"
	file := filepath.Join(t.TempDir(), "operators.json")
	list := func(tokens ...string) []byte {
		hashes := []string{}
		for _, token := range tokens {
			hashes = append(hashes, doors.HashOf(token).String())
		}
		b, err := json.Marshal(hashes)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	write(t, file, list(token))
	one := running(t, Config{AdminListen: "127.0.0.1:0", SeederToken: "a seeder's", OperatorsFile: file, Stream: &StreamConfig{SourceURL: film(t) + "/film.m3u8"}})
	many := running(t, tableConfig(t, t.TempDir()))
	for _, tracker := range []struct {
		name, token string
		*Server
		changes []string
	}{
		{"of one stream", token, one, []string{stats.AccumulatePath(telemetry.Kept{}), stats.AccumulatePath(telemetry.Kept{"a": 1}), stats.ArrivalsPath, stats.Path + "?x=1&accumulate"}},
		{"of a table", writerToken, many, []string{stats.ArrivalsPath, "/media/live" + stats.AccumulatePath(telemetry.Kept{})}},
	} {
		for _, path := range tracker.changes {
			for _, wrong := range []string{"", other, "a seeder's", doors.HashOf(tracker.token).String()} {
				if got := asks(t, tracker.Server, path, wrong); got != http.StatusUnauthorized {
					t.Errorf("%s: %s with the token %q: %d", tracker.name, path, wrong, got)
				}
			}
			if got := asks(t, tracker.Server, path, tracker.token); got == http.StatusUnauthorized || got >= http.StatusInternalServerError {
				t.Errorf("%s: %s of the operator: %d", tracker.name, path, got)
			}
		}
		for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
			if got := asks(t, tracker.Server, path, ""); got != http.StatusOK {
				t.Errorf("%s: %s: %d", tracker.name, path, got)
			}
		}
	}
	for _, path := range []string{stats.Path, "/dashboard"} {
		if got := asks(t, one, path, ""); got != http.StatusOK {
			t.Errorf("%s: %d", path, got)
		}
	}

	write(t, file, list(other)) // the operator has another key
	one.operators.Check()
	if asks(t, one, stats.AccumulatePath(telemetry.Kept{}), token) != http.StatusUnauthorized || asks(t, one, stats.AccumulatePath(telemetry.Kept{}), other) != http.StatusOK {
		t.Error("a changed list is not read again")
	}
	write(t, file, []byte("nonsense"))
	one.operators.Check()
	if asks(t, one, stats.AccumulatePath(telemetry.Kept{}), "") != http.StatusUnauthorized {
		t.Error("a list that cannot be read opens the door")
	}
	write(t, file, list())
	one.operators.Check()
	if asks(t, one, stats.AccumulatePath(telemetry.Kept{}), "") != http.StatusOK {
		t.Error("an operator without a key gets nothing")
	}
}

func TestListsOfOperatorsAreChecked(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "operators.json")
	for text, want := range map[string]string{
		`{}`:                  "not a JSON list",
		`["` + "token" + `"]`: "sha256",
		`["x"` + strings.Repeat(`,"x"`, maxOperators) + `]`: "the maximum is 8",
	} {
		write(t, file, []byte(text))
		if _, err := New(Config{OperatorsFile: file, AdminListen: "127.0.0.1:0"}, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := New(Config{OperatorsFile: filepath.Join(t.TempDir(), "none"), AdminListen: "127.0.0.1:0"}, nil, nil); err == nil {
		t.Error("a list that does not exist is none")
	}
}
