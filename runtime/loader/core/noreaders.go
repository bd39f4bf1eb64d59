package core

import "time"

// NoReaders are the readers of segments of a peer that serves no player: there is none.
type NoReaders struct{}

// Begin does nothing.
func (NoReaders) Begin(int64, []byte) {}

// Keep does nothing.
func (NoReaders) Keep([]byte) {}

// Withhold does nothing.
func (NoReaders) Withhold(int) {}

// Reveal does nothing.
func (NoReaders) Reveal() {}

// Answer does nothing.
func (NoReaders) Answer([]byte, error) {}

// Gone does nothing.
func (NoReaders) Gone() {}

// TooSlow does nothing.
func (NoReaders) TooSlow() {}

// Len is 0.
func (NoReaders) Len() int { return 0 }

// Waits has none to tell of.
func (NoReaders) Waits(func(since, dry time.Time)) {}

// Idle is 0.
func (NoReaders) Idle(time.Time) time.Duration { return 0 }
