// Package proxy is the program that lets any HLS or DASH player play through the mesh:
// a local HTTP server whose playlists, or MPD, refer to itself. Segments come from an
// engine of package loader, which asks peers first and the origin when they
// fail; the players' own requests are its playheads. Everything else of the
// presentation (initialization sections, keys, subtitles, I-frames, session
// data) is fetched from the origin and passed on.
//
// It is not an open proxy: it fetches only what the presentation's playlists
// name. Paths carry hashes of URLs, never URLs.
//
//	/master.m3u8                            where players start
//	/p/<player>/<playlist>/index.m3u8       a media playlist
//	/p/<player>/<playlist>/<file>           what that playlist names
//
//	/manifest.mpd                           where players of MPEG-DASH start
//	/p/<player>/manifest.mpd                where they load a live MPD again
//	/p/<player>/<directory>/<file>          what a representation names
//
// Each request for /master.m3u8 or /manifest.mpd names a new player, so that several players can
// have positions and renditions of their own.
//
// What is left out of playlists, and why: byte ranges, since each is a resource
// of its own here; EXT-X-PART and all else of low latency, since peers exchange
// whole segments and no request is held back until a part is there;
// EXT-X-CONTENT-STEERING, since it would lead players around the proxy. Unknown
// tags are kept byte for byte; so are the URLs in EXT-X-DATERANGE, which lead to
// other presentations.
package proxy
