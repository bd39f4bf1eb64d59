package core

import "time"

// NoReaders are the readers of segments of a peer that serves no player.
type NoReaders struct{}

// Begin does nothing, as there is no reader; so do the others.
func (NoReaders) Begin(int64, []byte)              {}
func (NoReaders) Keep([]byte)                      {}
func (NoReaders) Withhold(int)                     {}
func (NoReaders) Reveal()                          {}
func (NoReaders) Answer([]byte, error)             {}
func (NoReaders) Gone()                            {}
func (NoReaders) TooSlow()                         {}
func (NoReaders) Len() int                         { return 0 }
func (NoReaders) Waits(func(since, dry time.Time)) {}
func (NoReaders) Idle(time.Time) time.Duration     { return 0 }
