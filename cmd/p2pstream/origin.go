package main

import (
	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/runtime/origin"
)

func originCommand(log *logFlags) *cobra.Command {
	var cfg origin.Config
	c := &cobra.Command{
		Use:   "origin",
		Short: "Serve a live and a VOD test stream",
		Long: `Serves /live/master.m3u8 and /vod/master.m3u8 (HLS), /live/manifest.mpd and
/vod/manifest.mpd (MPEG-DASH), from media embedded in this program.
Options are parts of the path, as in /live/seg_4/window_6/fmp4/master.m3u8; the
page / lists them. fill_N fills the segments of one rendition up to N kbit/s with
what players skip; with timeline, an MPD lists when each segment begins. These do what origins in the field do:

  event_D_G    live: events of D s from start_N on, with G s of EXT-X-ENDLIST
               after each; every event numbers its segments from 0 and uses
               the same names for other media. G may be 0: no end is shown
  gone         answer 404 to the playlists of an ended event in the second
               half of its G s
  newnames     the segments of each event have names of their own
  late_N       live: the last rendition is listed from N s after start_N on,
               in front of the others
  expire_N     the multivariant playlist names media playlists that answer
               403 after N s
  signed_N     every playlist signs its segments anew, for N s
  edges        answer each multivariant playlist with 302 to another path
               (edge_N, which has no effect)
  sessions     answer each media playlist with 302 to a session of its own
  cookie       answer 403 without the cookie that the multivariant playlist sets
  busy_A_B     answer 429 with Retry-After from second A to B of each minute
  ads          two of four segments are advertisements of the session that the
               multivariant playlist began, with names of their own
  watermark    the bytes of every segment are those of the session: of the
               cookie with cookie, else of the URL's query
  twins        audio in two groups with the same attributes and other bytes
  cameras      the lowest rendition twice, with the same attributes and other
               bytes
  backup       the lowest rendition twice, with the same bytes
  loop_N       live: a film of N segments in a loop: names and bytes come again
  wrap_N       live: a ring of N file names, which are overwritten
  slate_N      live: the last N of ten segments are one and the same file
  stale_N      live: half of the playlists are N segments old
  dvr          live: list the whole history, the newest 50,000 segments at most
  negative     every seventh segment has a negative EXTINF
  parts        live: the last rendition lists LL-HLS parts of 1 s
  canskip      live: offer and answer delta updates
  canblock     live: offer and answer blocking reloads
  notmodified  answer 304 to every conditional request for a playlist or MPD
  onetag       every state of a playlist or MPD has the same ETag
  gzip         compress segments, whatever was asked for
  nolength     segments end with the connection, without Content-Length
  chunked      segments are chunked, without Content-Length
  norange      VOD with byterange: answer ranges with 200 and the whole file`,
		Example: "  p2pstream origin --listen :8100\n  ffplay http://127.0.0.1:8100/live/master.m3u8",
		RunE:    func(c *cobra.Command, _ []string) error { return serve(c, log, cfg, origin.New) },
	}
	c.Flags().StringVar(&cfg.Listen, "listen", ":8100", "host:port to listen on")
	withConfig(c, &cfg)
	return c
}
