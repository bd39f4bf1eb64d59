package upload

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestUplinkChunksShrinkWithMoreUploads(t *testing.T) {
	u := NewUplink(1_000_000)
	for active, want := range map[int]int{1: 65535, 10: 50_000, 100: 5000, 1000: minChunk} {
		u.active.Store(int64(active))
		if got := u.chunk(65535); got != want {
			t.Errorf("%d uploads: chunk = %d, want %d", active, got, want)
		}
	}
	if got := NewUplink(0).chunk(65535); got != 65535 {
		t.Errorf("no limit: chunk = %d", got)
	}
}

// TestUplinkIsFairAndBounded runs twenty uploads for a minute of made-up time:
// the sum stays below the limit, no upload waits for 2 s and all shares are equal.
func TestUplinkIsFairAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, uploads, seconds = 1_000_000, 20, 60
		u := NewUplink(limit)
		ctx, cancel := context.WithTimeout(t.Context(), seconds*time.Second)
		defer cancel()
		sent := make([]int, uploads)
		longest := make([]time.Duration, uploads)
		done := make(chan struct{})
		for i := range uploads {
			go func() {
				u.begin()
				defer u.end()
				defer func() { done <- struct{}{} }()
				last := time.Now()
				for {
					n := u.chunk(65535)
					if u.wait(ctx, n) != nil {
						return
					}
					sent[i] += n
					longest[i] = max(longest[i], time.Since(last))
					last = time.Now()
				}
			}()
		}
		for range uploads {
			<-done
		}
		total, least, most := 0, sent[0], sent[0]
		for i, n := range sent {
			total += n
			least, most = min(least, n), max(most, n)
			if longest[i] >= uploadPatience {
				t.Errorf("upload %d waited %s", i, longest[i])
			}
		}
		if total > limit*(seconds+1) || total < limit*(seconds-2) {
			t.Errorf("sent %d bytes in %d s at %d bytes/s", total, seconds, limit)
		}
		if most-least > most/5 {
			t.Errorf("shares differ: %d to %d bytes", least, most)
		}
		if u.Active() != 0 || u.Sent() < int64(total) {
			t.Errorf("active %d, sent %d", u.Active(), u.Sent())
		}
	})
}
