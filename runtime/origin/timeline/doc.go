// Package timeline interprets the URLs of the test origin. It is pure: Parse
// turns a path into a Request, and a Request with the time gives playlists,
// segments and faults. It has no clock and no state.
//
// A path is /live or /vod, knobs, and a resource:
//
//	/live/seg_4/window_6/fmp4/audio/master.m3u8
//	/vod/dur_120/seg_4/ts/360p.m3u8
//	/live/360p/450000123.m4s
//	/live/audio/manifest.mpd
//	/vod/dur_60/byterange/manifest.mpd
//
// master.m3u8 is an HLS manifest, and manifest.mpd one of MPEG-DASH, with the same segments in fMP4.
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
//	timeline     DASH: a SegmentTimeline lists when each segment begins
//
// Faults. The first four affect only segments; chance is decided by the path and
// the second of the clock, so a later retry may succeed:
//
//	slow_N       wait N ms before the first byte, at most 60000
//	rate_N       send N kbit/s, at most 1000000
//	truncate_N   end N percent of the bodies in their middle
//	status_N_P   answer status N, 400 to 599, to P percent of the requests
//	down_A_B     answer 503 to everything from second A to B of each minute
//	notplaylist  answer HTML instead of playlists and MPDs
//	redirect     answer the manifest with 302 to the same path without this knob
//
// What origins in the field do. Those of media playlists (expire, sessions, negative, parts,
// canskip, canblock) have no effect on an MPD; stale has one if the MPD lists segments (timeline, signed, loop, wrap, slate, ads):
//
//	event_D_G    live: events of D s from start_N on, with G s of EXT-X-ENDLIST
//	             after each; every event numbers its segments from 0 and uses
//	             the same names for other media. G may be 0: no end is shown
//	gone         answer 404 to the playlists of an ended event in the second
//	             half of its G s
//	newnames     the segments of each event have names of their own
//	late_N       live: the last rendition is listed from N s after start_N on,
//	             in front of the others
//	expire_N     the multivariant playlist names media playlists that answer
//	             403 after N s
//	signed_N     every playlist signs its segments anew, for N s
//	passes_N     every playlist lists its segments below pass_T, where T is the
//	             Unix second, N s later, from which on they answer 403
//	edges        answer each multivariant playlist with 302 to another path
//	             (edge_N, which has no effect)
//	sessions     answer each media playlist with 302 to a session of its own
//	cookie       answer 403 without the cookie that the multivariant playlist sets
//	busy_A_B     answer 429 with Retry-After from second A to B of each minute
//	ads          two of four segments are advertisements of the session that the
//	             multivariant playlist began, with names of their own
//	watermark    the bytes of every segment are those of the session: of the
//	             cookie with cookie, else of the URL's query
//	agents       the bytes of every segment are those of the client's User-Agent
//	twins        audio in two groups with the same attributes and other bytes
//	cameras      the lowest rendition twice, with the same attributes and other
//	             bytes
//	backup       the lowest rendition twice, with the same bytes
//	loop_N       live: a film of N segments in a loop: names and bytes come again
//	wrap_N       live: a ring of N file names, which are overwritten
//	slate_N      live: the last N of ten segments are one and the same file
//	stale_N      live: half of the playlists are N segments old
//	dvr          live: list the whole history, the newest 50,000 segments at most
//	negative     every seventh segment has a negative EXTINF
//	parts        live: the last rendition lists LL-HLS parts of 1 s
//	canskip      live: offer and answer delta updates
//	canblock     live: offer and answer blocking reloads
//	notmodified  answer 304 to every conditional request for a playlist or MPD
//	onetag       every state of a playlist or MPD has the same ETag
//	gzip         compress segments, whatever was asked for
//	nolength     segments end with the connection, without Content-Length
//	chunked      segments are chunked, without Content-Length
//	norange      VOD with byterange: answer ranges with 200 and the whole file
package timeline
