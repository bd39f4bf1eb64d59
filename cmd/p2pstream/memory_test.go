package main

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/seeder"
)

// TestMemoryLimit: a seeder's heap, which may grow to four times what is live, stays near what the seeder needs.
func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	t.Setenv("GOMEMLIMIT", "")
	needed := seeder.Config{CacheBytes: 32 << 20, MaxPeers: 100}.Memory()
	limitMemory(needed)
	if got := debug.SetMemoryLimit(-1); got > needed || got < 32<<20 {
		t.Errorf("limit %d, want room for the cache within %d", got, needed)
	}
	debug.SetMemoryLimit(math.MaxInt64)
	t.Setenv("GOMEMLIMIT", "1GiB") // the runtime has read it at the start
	limitMemory(needed)
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("the limit of GOMEMLIMIT became %d", got)
	}
}
