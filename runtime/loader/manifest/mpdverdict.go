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
	var all []finding
	for _, f := range dash.Findings(p.mpd, lists) {
		out := finding{reason: f.Reason, message: f.Message, effect: warning}
		switch {
		case f.Off && f.Kind == "":
			out.effect = off
		case f.Off:
			out.effect, out.kind = offKind, f.Kind
		case f.Against:
			out.effect = limited
		}
		all = append(all, out)
	}
	return all
}
