package lab

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// Condition is asked until it holds. One that returns an error says with it what is still missing, which the failure
// message repeats as the last thing seen; nil is true.
type Condition interface {
	func() bool | func() error
}

// How long to pause between two questions: short at first, for what is there at once, then longer by a quarter each
// time, so that waiting costs the programs that are asked little.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = 100 * time.Millisecond
)

// Eventually waits until the condition holds. If it does not within the limit, the test fails at once with what was
// waited for and what was seen last.
func Eventually[C Condition](t testing.TB, within time.Duration, what string, holds C) {
	t.Helper()
	if err := Wait(context.Background(), within, what, holds); err != nil {
		t.Fatal(err)
	}
}

// Wait is Eventually without a test. The error wraps that of the context, context.DeadlineExceeded if the limit has
// passed. The condition is asked at least once.
func Wait[C Condition](ctx context.Context, within time.Duration, what string, holds C) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	pause := time.NewTimer(firstPause)
	defer pause.Stop()
	for next := firstPause; ; next = min(next*5/4, lastPause) {
		seen := ask(holds)
		if seen == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return timedOut(ctx, began, what, seen)
		case <-pause.C:
			pause.Reset(next)
		}
	}
}

// errFalse stands for a condition that does not say what is missing.
var errFalse = errors.New("")

func ask[C Condition](holds C) error {
	switch holds := any(holds).(type) {
	case func() error:
		return holds()
	case func() bool:
		if holds() {
			return nil
		}
	}
	return errFalse
}

func timedOut(ctx context.Context, began time.Time, what string, seen error) error {
	waited := time.Since(began).Round(time.Millisecond)
	if errors.Is(seen, errFalse) {
		return fmt.Errorf("waiting %s for %s: %w", waited, what, ctx.Err())
	}
	return fmt.Errorf("waiting %s for %s: %w; last seen: %w", waited, what, ctx.Err(), seen)
}
