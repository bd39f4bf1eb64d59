package lab_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

func TestWaitReturnsOnceTheConditionHolds(t *testing.T) {
	asked := 0
	if err := lab.Wait(t.Context(), time.Minute, "three questions", func() bool { asked++; return asked == 3 }); err != nil {
		t.Fatal(err)
	}
	if asked != 3 {
		t.Errorf("asked %d times, want 3", asked)
	}
}

func TestWaitAsksOnceThoughTheContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := lab.Wait(ctx, time.Minute, "what holds", func() bool { return true }); err != nil {
		t.Error(err)
	}
	err := lab.Wait(ctx, time.Minute, "what does not hold", func() bool { return false })
	if !errors.Is(err, context.Canceled) || !strings.HasSuffix(err.Error(), " for what does not hold: context canceled") {
		t.Errorf("error %v", err)
	}
}

func TestWaitSaysWhatWasSeenLast(t *testing.T) {
	n := 0
	err := lab.Wait(t.Context(), 50*time.Millisecond, "peers", func() error { n++; return fmt.Errorf("%d of 1000 peers", n) })
	if !errors.Is(err, context.DeadlineExceeded) || !strings.HasSuffix(err.Error(), fmt.Sprintf("for peers: context deadline exceeded; last seen: %d of 1000 peers", n)) {
		t.Errorf("error %v after %d questions", err, n)
	}
}
