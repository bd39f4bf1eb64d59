// Package history remembers how a stream fared in the last 24 hours, in bounded memory: the last hour in steps of ten seconds,
// the rest in minutes. Samples go in with counters as they stand; what comes out is how much came in each step. A tracker has
// one history for its stream, and a program that reads several trackers can have one of their sums.
//
// It is pure: the clock is an argument. A Ring may be used by one goroutine at a time.
package history
