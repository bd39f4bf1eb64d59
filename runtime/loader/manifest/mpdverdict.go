package manifest

import "github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"

// mpdFindings are those that an MPD and its lists show.
func mpdFindings(p *Presentation, e Evidence) []finding {
	lists := map[string]*dash.Playlist{}
	for name, list := range e.Playlists {
		if list.mpd != nil {
			lists[name] = list.mpd
		}
	}
	return dash.Findings(p.mpd, lists)
}
