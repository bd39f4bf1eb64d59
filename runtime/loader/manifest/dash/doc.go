// Package dash owns MPEG-DASH manifests (MPDs): it reads one into a model (Presentation → Rendition → Playlist → Segment),
// and says why a presentation cannot be shared. Identity, numbering and what is listed at a time are those of viewers with
// Shaka Player 4.16.9 and p2p-media-loader-shaka 2.2.2; testdata/shaka.json has what these two make of each MPD of the tests.
//
// It is pure: the time is an argument, and what is to be fetched (the MPD, segment indexes, clocks) is told and not fetched.
// Every byte it reads is hostile until checked, all work is bounded, and every failure carries a stated reason.
// Source of names without another one: ISO/IEC 23009-1 (MPEG-DASH).
package dash
