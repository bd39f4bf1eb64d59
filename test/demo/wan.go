package main

import "time"

// rateWindow is the time over which a rate is measured: long enough for one or two segments.
const rateWindow = 10 * time.Second

// counters are the bytes that have crossed an office's uplink since it was created.
type counters struct{ down, up uint64 }

// meter computes traffic from counters.
type meter struct {
	base    counters
	samples []sample // the last rateWindow, oldest first
}

type sample struct {
	at time.Time
	counters
}

// add takes a reading; bytes are counted from the first one.
func (m *meter) add(at time.Time, c counters) {
	if len(m.samples) == 0 {
		m.base = c
	}
	m.samples = append(m.samples, sample{at, c})
	for len(m.samples) > 2 && at.Sub(m.samples[1].at) >= rateWindow {
		m.samples = m.samples[1:]
	}
}

// traffic is nil before the first reading.
func (m *meter) traffic() *traffic {
	if len(m.samples) == 0 {
		return nil
	}
	first, last := m.samples[0], m.samples[len(m.samples)-1]
	t := &traffic{down: since(m.base.down, last.down), up: since(m.base.up, last.up)}
	if seconds := last.at.Sub(first.at).Seconds(); seconds > 0 {
		t.downRate = 8 * float64(since(first.down, last.down)) / seconds
		t.upRate = 8 * float64(since(first.up, last.up)) / seconds
	}
	return t
}

// since is the growth of a counter; a counter that fell has been reset.
func since(before, now uint64) uint64 {
	if now < before {
		return now
	}
	return now - before
}
