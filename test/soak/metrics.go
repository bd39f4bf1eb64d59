package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// client leaves no connection behind, which would count as the program's.
var client = &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func get(ctx context.Context, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("making request: %w", err)
	}
	return client.Do(req)
}

// columns says which metric fills which column; several are added up, as are the
// series of one metric.
var columns = map[string]samples.Column{
	"go_memstats_heap_inuse_bytes":                           samples.Heap,
	"go_goroutines":                                          samples.Goroutines,
	"p2pstream_tracker_sockets":                              samples.Sockets,
	"p2pstream_mesh_tracker_sockets":                         samples.Sockets,
	"p2pstream_stun_tcp_connections":                         samples.Sockets,
	"p2pstream_tracker_swarms":                               samples.Swarms,
	"p2pstream_tracker_peers":                                samples.Peers,
	"p2pstream_mesh_peers":                                   samples.Peers,
	"p2pstream_viewerapi_sessions":                           samples.Sessions,
	"p2pstream_mesh_offers_outstanding":                      samples.Offers,
	"p2pstream_seeder_store_bytes":                           samples.Store,
	"p2pstream_proxy_store_bytes":                            samples.Store,
	"p2pstream_viewer_store_bytes":                           samples.Store,
	"p2pstream_viewer_stalls_total":                          samples.Stalls,
	`p2pstream_viewer_received_bytes_total{source="http"}`:   samples.HTTP,
	`p2pstream_viewer_received_bytes_total{source="seeder"}`: samples.Seeder,
	`p2pstream_viewer_received_bytes_total{source="viewer"}`: samples.Viewer,
	`p2pstream_proxy_received_bytes_total{source="http"}`:    samples.HTTP,
	`p2pstream_proxy_received_bytes_total{source="seeder"}`:  samples.Seeder,
	`p2pstream_proxy_received_bytes_total{source="viewer"}`:  samples.Viewer,
	"p2pstream_seeder_origin_bytes_total":                    samples.HTTP,
}

// scrape adds a program's metrics to its row.
func scrape(ctx context.Context, admin string, row *samples.Row) error {
	resp, err := get(ctx, "http://"+admin+"/metrics")
	if err != nil {
		return fmt.Errorf("scraping metrics: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // read to its end
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("scraping metrics: status %s", resp.Status)
	}
	return readMetrics(resp.Body, row)
}

func readMetrics(r io.Reader, row *samples.Row) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		end := strings.LastIndexByte(line, ' ')
		if end < 0 || line[0] == '#' {
			continue
		}
		series := line[:end]
		name, _, _ := strings.Cut(series, "{")
		c, ok := columns[series]
		if !ok {
			c, ok = columns[name]
		}
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(line[end+1:], 64)
		if err != nil {
			return fmt.Errorf("reading metric %s: %w", series, err)
		}
		if old := row.Values[c]; old == old { // not NaN
			v += old
		}
		row.Values[c] = v
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading metrics: %w", err)
	}
	return nil
}
