package rendition

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/playback"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// manyPeers is a rendition with a playlist of n segments and so many peers that hold all of them.
func manyPeers(b *testing.B, seeder bool, n, peers int) *Rendition {
	b.Helper()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: "http://127.0.0.1:1/m.m3u8"})
	if err != nil {
		b.Fatal(err)
	}
	shared := newShared(source)
	shared.Settings.Seeder = seeder
	shared.Settings.Trackers = []string{"ws://127.0.0.1:1/announce"}
	if !seeder {
		shared.Playback = playback.New(time.Now())
	}
	r := New(b.Context(), shared, manifest.Rendition{Name: "a"})
	p := playlistOf(0, n)
	for i := range p.Segments {
		p.Segments[i].Start = time.Duration(i) * p.TargetDuration
	}
	r.core.Merge(p, time.Now())
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = int64(i)
		if seeder {
			r.core.Segments()[i].State = schedule.Held
		}
	}
	for range peers {
		announce(b, connect(b, r), ids...)
	}
	return r
}

func BenchmarkViewerPass(b *testing.B) {
	r := manyPeers(b, false, 1800, 50)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		r.act(now)
	}
}

func BenchmarkSeederPass(b *testing.B) {
	r := manyPeers(b, true, 1800, 200)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		r.act(now)
	}
}
