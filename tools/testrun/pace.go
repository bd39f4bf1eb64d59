package main

import (
	"crypto/sha256"
	"runtime"
	"slices"
	"sync"
	"time"
)

// A machine whose processors are shared with others may be slow for hours. Suites beside each other then starve each other's
// programs, and what is measured is the machine. They run one after the other instead, with fewer packages at once: the
// run takes longer, and every bound stays as it is.

const (
	// slowFrom is how many times as long as on an idle machine the work of pace takes where suites no longer run beside
	// each other.
	slowFrom = 1.6
	// paceWork is what each processor does: so many hashes of so many bytes, in paceUnit on an idle machine (two virtual
	// processors of 2.5 GHz with SHA extensions; without these every machine counts as slow).
	paceWork  = 1500
	paceBytes = 64 << 10
	paceUnit  = 62 * time.Millisecond
	// paceSamples are taken; the median counts.
	paceSamples = 7
	// slowVariable tells suites that the machine is slow.
	slowVariable = "P2PSTREAM_SLOW_MACHINE"
)

// pace measures how many times slower than an idle machine this one is. It keeps all processors busy for about a second.
func pace() float64 {
	samples := make([]float64, paceSamples)
	for i := range samples {
		began := time.Now()
		var wg sync.WaitGroup
		for range runtime.NumCPU() {
			wg.Go(hashMuch)
		}
		wg.Wait()
		samples[i] = float64(time.Since(began)) / float64(paceUnit)
	}
	slices.Sort(samples)
	return samples[len(samples)/2]
}

func hashMuch() {
	block := make([]byte, paceBytes)
	for range paceWork {
		sum := sha256.Sum256(block)
		copy(block, sum[:])
	}
}
