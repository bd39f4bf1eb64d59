// Package mux writes the containers of the test origin, MPEG-2 transport stream
// and fragmented MP4, around the samples of package media. It is pure: what it
// writes for a second of the timeline follows from that second alone.
//
// The timeline is endless: second s shows second s mod media.LoopSeconds of the
// loop under timestamps that never restart. Its unit is the chunk, one second
// from key picture to key picture with the audio frames to it, so a segment
// of any whole number of seconds is some chunks in a row.
package mux
