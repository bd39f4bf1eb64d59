package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// Intervals of the table: on a terminal it is redrawn in place, a file or pipe
// gets a new line.
const (
	redrawInterval = time.Second
	lineInterval   = 5 * time.Second
)

// showTable prints the tracker's /v1/stats as a table until ctx ends.
func (s *Server) showTable(ctx context.Context) {
	live := isTerminal(s.cfg.Out)
	pause := lineInterval
	if live {
		pause = redrawInterval
	}
	s.print("Open the player in one or more browser tabs: %s\n", s.url("/player"))
	s.print("Press Ctrl-C to stop.\n\n")
	tick := time.NewTicker(pause)
	defer tick.Stop()
	drawn := 0
	for {
		stats, err := s.stats(ctx)
		if ctx.Err() != nil {
			return
		}
		var lines []string
		if err != nil {
			lines = []string{"cannot read the tracker's statistics: " + err.Error()}
		} else {
			lines = table(s.cfg.Stream.Name, stats)
		}
		if !live && drawn > 0 && err == nil {
			lines = lines[1:] // the heading was printed already
		}
		if live && drawn > 0 {
			s.print("\x1b[%dA\x1b[J", drawn)
		}
		s.print("%s\n", strings.Join(lines, "\n"))
		drawn = len(lines)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (s *Server) print(format string, args ...any) {
	_, _ = fmt.Fprintf(s.cfg.Out, format, args...) // the demo goes on even if its output is closed
}

func (s *Server) stats(ctx context.Context) (*viewerapi.Stats, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url("/v1/stats"), nil)
	if err != nil {
		return nil, fmt.Errorf("making request for stats: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+s.tracker.SeederToken())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetching stats: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	var stats viewerapi.Stats
	if err := json.NewDecoder(io.LimitReader(resp.Body, 4<<20)).Decode(&stats); err != nil {
		return nil, fmt.Errorf("decoding stats: %w", err)
	}
	return &stats, nil
}

// table returns the heading and one line of numbers.
func table(name string, st *viewerapi.Stats) []string {
	const columns = "%-12s %-6s %7s %8s %10s %10s %10s %8s %8s"
	offload := ""
	if r := st.Offload.TotalRatio; r != nil {
		offload = fmt.Sprintf("%.1f%%", 100**r)
	}
	ready := "False"
	if st.SeedersHold {
		ready = "True"
	}
	t := st.Offload.Totals
	return []string{
		fmt.Sprintf(columns, "NAME", "READY", "VIEWERS", "OFFLOAD", "ORIGIN", "SEEDER", "VIEWER", "SEEDERS", "STALLS"),
		fmt.Sprintf(columns, name, ready, fmt.Sprint(st.Viewers), offload,
			bytes(t.HTTP), bytes(t.Seeder), bytes(t.Viewer), fmt.Sprint(st.Seeders), fmt.Sprint(st.Offload.Stalls)),
	}
}

// bytes formats a number of bytes with a suitable unit.
func bytes(n int64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if float64(n) >= u.size {
			return fmt.Sprintf("%.1f %s", float64(n)/u.size, u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}
