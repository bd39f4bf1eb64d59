package tracker

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// BenchmarkIdleStreams measures what streams without viewers cost, once their manifests were read.
func BenchmarkIdleStreams(b *testing.B) {
	const streams = 200
	for b.Loop() {
		b.StopTimer()
		origin := film(b)
		s := running(b, tableConfig(b, b.TempDir()))
		before, routines := used(), runtime.NumGoroutine()
		var entries []table.Entry
		for i := range streams {
			entries = append(entries, entryOf(fmt.Sprintf("s%d", i), fmt.Sprintf("%s/%d.m3u8", origin, i)))
		}
		b.StartTimer()
		mustPut(b, s, entries...)
		b.StopTimer()
		eventually(b, "all to be read", func() bool {
			for _, st := range states(b, s).Streams {
				if !st.Read {
					return false
				}
			}
			return true
		})
		b.ReportMetric(float64(used()-before)/streams/1024, "KiB/stream")
		b.ReportMetric(float64(runtime.NumGoroutine()-routines)/streams, "goroutines/stream")
		b.StartTimer()
	}
}

// used is the memory of heap and stacks in bytes.
func used() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
