package peers

import (
	"context"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// BenchmarkJoinToFirstPeerByte measures from the start of a viewer program to its first media byte from a
// peer: settings, manifest, playlist, tracker, ICE, DTLS, announcement, request. One seeder holds the live
// stream; everything shares this machine, over loopback. Target: below 2 s.
func BenchmarkJoinToFirstPeerByte(b *testing.B) {
	s := inprocess.NewStream(b, "/live/seg_2/window_10/master.m3u8")
	s.StartSeeder(b, nil)
	s.AwaitSeeded(b)
	var worst time.Duration
	for b.Loop() {
		began := time.Now()
		v, err := viewer.New(viewer.Config{ConfigURL: s.HTTP("/v1/config"), Loopback: true}, lab.Logger("viewer"), nil)
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- v.Run(ctx) }()
		tick := time.NewTicker(time.Millisecond)
		for {
			<-tick.C
			if bytes := v.Snapshot().Total.Bytes; bytes.Seeder > 0 {
				break
			}
			if time.Since(began) > 30*time.Second {
				b.Fatal("no byte from a peer in 30 s")
			}
		}
		worst = max(worst, time.Since(began))
		b.StopTimer()
		tick.Stop()
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/join")
	b.ReportMetric(float64(worst.Milliseconds()), "worst-ms")
}
