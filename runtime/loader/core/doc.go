// Package core is what a peer decides about the segments of one rendition, and what it must remember for that: the table of
// segments, which sources failed, what peers claim, the bytes of unfinished segments, the playhead, what the store is to keep.
//
// It is pure. What happens comes in as calls with the time at which it happened: the playlist has changed, a peer came,
// a transfer ended, a player asks, time has passed. What is to be done goes out through Driver, Store and Peer: ask the
// origin or a peer for a segment, end a transfer, hold or rank a segment. The engine is one driver of it (package rendition),
// the simulator another one. One goroutine owns a Core.
package core
