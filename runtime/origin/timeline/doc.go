// Package timeline interprets the URLs of the test origin. It is pure: Parse
// turns a path into a Request, and a Request with the time gives playlists,
// segments and faults. It has no clock and no state.
//
// A path is /live or /vod, knobs, and a resource:
//
//	/live/seg_4/window_6/fmp4/audio/master.m3u8
//	/vod/dur_120/seg_4/ts/360p.m3u8
//	/live/360p/450000123.m4s
//
// The knobs, in any order, each at most once:
//
//	seg_N        seconds in a segment, 1 to 60; default 4
//	window_N     segments in a live playlist, 1 to 1000; default 10, which at 4 s
//	             leaves viewers 21 s of room beyond the 15 s that
//	             p2p-media-loader fetches from the origin
//	ts, fmp4     the container; default fmp4, which no player has to repack
//	audio        audio in a rendition of its own instead of in every one
//	ren_N        number of video renditions, the lowest first, 1 to 3; default 3
//	start_N      live: the Unix second in which sequence 0 began; default 0
//	end_N        live: the Unix second at which it ends; default never
//	dur_N        VOD: seconds in all, 1 to 14400; default 120
//	byterange    VOD: one file per rendition, segments are ranges of it
//
// Faults. The first four affect only segments; chance is decided by the path and
// the second of the clock, so a later retry may succeed:
//
//	slow_N       wait N ms before the first byte, at most 60000
//	rate_N       send N kbit/s, at most 1000000
//	truncate_N   end N percent of the bodies in their middle
//	status_N_P   answer status N, 400 to 599, to P percent of the requests
//	down_A_B     answer 503 to everything from second A to B of each minute
//	notplaylist  answer HTML instead of playlists
//	redirect     answer the multivariant playlist with 302 to the same path
//	             without this knob
package timeline
