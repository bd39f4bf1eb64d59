package main

import (
	"context"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// answerWithin is how long a program may take to answer; a sample is missed if it takes longer.
const answerWithin = 3 * time.Second

// columns says which metric fills which column; several are added up, as are the series of one metric.
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
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	metrics, err := lab.Scrape(ctx, admin)
	if err != nil {
		return err
	}
	fill(row, metrics)
	return nil
}

// fill adds metrics to the columns of a row.
func fill(row *samples.Row, metrics lab.Metrics) {
	for series, v := range metrics {
		name, _, _ := strings.Cut(series, "{")
		c, ok := columns[series]
		if !ok {
			c, ok = columns[name]
		}
		if !ok {
			continue
		}
		if old := row.Values[c]; old == old { // not NaN
			v += old
		}
		row.Values[c] = v
	}
}
