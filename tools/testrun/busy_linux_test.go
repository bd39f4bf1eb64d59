package main

import (
	"testing"
	"time"
)

func TestParseBusy(t *testing.T) {
	t.Parallel()
	got, err := parseBusy("cpu  100 20 30 4000 500 6 7 80 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
	if want := 1630 * time.Millisecond; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	for _, bad := range []string{"", "intr 1 2 3", "cpu 1 2 3", "cpu 1 2 x 4 5 6 7 8"} {
		if got, err := parseBusy(bad); err == nil {
			t.Errorf("%q: got %s, want an error", bad, got)
		}
	}
	if now, err := busy(); err != nil || now <= 0 {
		t.Errorf("this machine was busy for %s, %v", now, err)
	}
}
