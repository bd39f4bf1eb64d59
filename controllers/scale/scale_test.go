package scale

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRunReadsOneStream counts what a run reads from the cache. It must be what belongs to its stream, however many
// others there are.
func TestRunReadsOneStream(t *testing.T) {
	t.Parallel()
	read := func(streams int) int64 {
		c := newCluster(t, streams)
		name := streamName(streams / 2)
		r := c.operator(t, name)
		c.writes.Store(0)
		c.read.Store(0)
		reconcile(t, r, name)
		if n := c.writes.Load(); n > 0 {
			t.Errorf("%d writes for an unchanged stream among %d", n, streams)
		}
		return c.read.Load()
	}
	few, many := read(10), read(1000)
	if few < 10 || few > 20 { // the stream, its children and its pods
		t.Errorf("%d objects read for one stream among 10", few)
	}
	if many != few {
		t.Errorf("%d objects read for one stream among 1,000, %d among 10", many, few)
	}
}

// BenchmarkReconcileUnchanged is one run of a stream that is as its spec asks. It should cost at most twice as much
// among 1,000 streams of a namespace as among 10. Compare cpu-ns/op, the processor time: ns/op counts other programs too.
func BenchmarkReconcileUnchanged(b *testing.B) {
	for _, streams := range []int{10, 1000} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) {
			c := newCluster(b, streams)
			var names []string
			for i := range 10 {
				names = append(names, streamName(i*streams/10))
			}
			r := c.operator(b, names...)
			c.writes.Store(0)
			b.ReportAllocs()
			runtime.GC() // of what filled the cache
			began := cpuTime(b)
			i := 0
			for b.Loop() {
				reconcile(b, r, names[i%len(names)])
				i++
			}
			b.ReportMetric(float64(cpuTime(b)-began)/float64(b.N), "cpu-ns/op")
			if n := c.writes.Load(); n > 0 {
				b.Errorf("%d writes for unchanged streams", n)
			}
		})
	}
}

// cpuTime of this process so far, in nanoseconds: garbage collection is a part of what a run costs.
func cpuTime(tb testing.TB) int64 {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
