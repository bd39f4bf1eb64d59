package seeder

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pstream/p2pstream/runtime/seeder/config"
)

func TestAwaitPlacePort(t *testing.T) {
	type change struct {
		after time.Duration
		text  string
	}
	for name, tt := range map[string]struct {
		ordinal int
		changes []change
		want    int
		err     string
		within  time.Duration
		lines   int
	}{
		"it is listed":        {0, []change{{0, "[30001]"}}, 30001, "", 0, 0},
		"further down":        {2, []change{{0, "[30001, 30002, 30003]"}}, 30003, "", 0, 0},
		"the file comes late": {0, []change{{30 * time.Second, "[30001]"}}, 30001, "", 31 * time.Second, 1},
		"the list grows":      {1, []change{{0, "[30001]"}, {10 * time.Second, "[30001,30002]"}}, 30002, "", 11 * time.Second, 1},
		"a gap is filled":     {0, []change{{0, "[0,30002]"}, {time.Second, "[30001,30002]"}}, 30001, "", 2 * time.Second, 1},
		"it is mended":        {0, []change{{0, `["x"]`}, {time.Second, "[30001]"}}, 30001, "", 2 * time.Second, 1},
		"never":               {1, []change{{0, "[30001]"}}, 0, "lists no port for ordinal 1", placeTimeout, 1},
		"no port at all":      {0, []change{{0, "[99999]"}}, 0, "which is not a port", placeTimeout, 1},
		"no file at all":      {0, nil, 0, "no such file", placeTimeout, 1},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "ice-ports.json")
			synctest.Test(t, func(t *testing.T) {
				for _, c := range tt.changes {
					put := func() {
						if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
							t.Error(err)
						}
					}
					if c.after == 0 {
						put()
					} else {
						time.AfterFunc(c.after, put)
					}
				}
				var log strings.Builder
				began := time.Now()
				at, err := awaitPlace(t.Context(), config.Config{ICEPortsFile: file, Ordinal: tt.ordinal}, systemLookup, slog.New(slog.NewTextHandler(&log, nil)))
				if at.port != tt.want || (err == nil) != (tt.err == "") || (err != nil && !strings.Contains(err.Error(), tt.err)) {
					t.Errorf("port %d, error %v", at.port, err)
				}
				if took := time.Since(began); took > tt.within {
					t.Errorf("took %v", took)
				}
				if n := strings.Count(log.String(), "\n"); n != tt.lines {
					t.Errorf("%d lines: %s", n, log.String())
				}
			})
		})
	}
}

func TestAwaitPlaceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := awaitPlace(ctx, config.Config{ICEPortsFile: "/nowhere"}, systemLookup, slog.New(slog.DiscardHandler))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestPlaceMovedToAnotherPort(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ice-ports.json")
	synctest.Test(t, func(t *testing.T) {
		cfg := config.Config{ICEPortsFile: file, Ordinal: 1}
		for i, text := range []string{"[1,30002]", "[1]", "[1,0]", "nonsense", "[7,30002]", "[7,30003]"} {
			time.AfterFunc(time.Duration(i)*10*time.Second, func() {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Error(err)
				}
			})
		}
		began := time.Now()
		to, moved := placeMoved(t.Context(), cfg, systemLookup, place{port: 30002})
		if took := time.Since(began); !moved || to.port != 30003 || took < 50*time.Second || took > 52*time.Second {
			t.Errorf("moved %v to %d after %v", moved, to.port, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, moved := placeMoved(ctx, cfg, systemLookup, place{port: 30003}); moved {
			t.Error("moved to where it is")
		}
	})
}

func TestWithPort(t *testing.T) {
	for in, want := range map[string]string{":0": ":30001", "127.0.0.1:0": "127.0.0.1:30001", "[::1]:5": "[::1]:30001"} {
		if got := withPort(in, 30001); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
