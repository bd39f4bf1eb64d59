package manifest

import (
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// TestJudge looks at all renditions, and at what a playlist does not show.
func TestJudge(t *testing.T) {
	rendition := func(name string, kind identity.StreamType, id string) Rendition {
		return Rendition{Name: name, Stream: identity.Stream{Type: kind, ShortID: id, URI: "https://o.test/" + name + ".m3u8"}}
	}
	p := &Presentation{Renditions: []Rendition{
		rendition("720p", identity.Main, "a"), rendition("240p", identity.Main, "b"),
		rendition("audio-en", identity.Secondary, "c"), rendition("audio-en-2", identity.Secondary, "c"),
	}}
	plain := func() *Playlist { return &Playlist{Live: true, TargetDuration: 4 * time.Second, Entries: 10} }
	alike := []Likeness{{"audio-en", "audio-en-2", true}}
	tests := map[string]struct {
		change          func(lists map[string]*Playlist, e *Evidence)
		reason          string
		main, secondary bool     // off
		says            []string // in the message
	}{
		"all is well":     {func(map[string]*Playlist, *Evidence) {}, Peerable, false, false, nil},
		"parts in one":    {func(l map[string]*Playlist, _ *Evidence) { l["240p"].LowLatencyParts = true }, LowLatencyPartsOnly, true, true, []string{"240p"}},
		"parts in audio":  {func(l map[string]*Playlist, _ *Evidence) { l["audio-en-2"].LowLatencyParts = true }, LowLatencyPartsOnly, true, true, []string{"audio-en-2"}},
		"delta updates":   {func(l map[string]*Playlist, _ *Evidence) { l["240p"].CanSkip = true }, DeltaUpdates, true, false, []string{"240p", "CAN-SKIP-UNTIL"}},
		"of audio":        {func(l map[string]*Playlist, _ *Evidence) { l["audio-en"].CanSkip = true }, DeltaUpdates, false, true, []string{"audio-en"}},
		"of a film":       {func(l map[string]*Playlist, _ *Evidence) { l["240p"].CanSkip, l["240p"].Ended = true, true }, Peerable, false, false, nil},
		"blocking reload": {func(l map[string]*Playlist, _ *Evidence) { l["720p"].CanBlock = true }, BlockingReload, true, false, []string{"CAN-BLOCK-RELOAD"}},
		"below zero":      {func(l map[string]*Playlist, _ *Evidence) { l["720p"].Miscounted = true }, UnusualDuration, true, false, []string{"720p", "EXTINF"}},
		"one redirected":  {func(l map[string]*Playlist, _ *Evidence) { l["240p"].Redirected = true }, MediaPlaylistRedirected, false, false, []string{"240p"}},
		"the weightiest is told, the others are named": {func(l map[string]*Playlist, _ *Evidence) {
			l["720p"].Redirected, l["240p"].LowLatencyParts = true, true
		}, LowLatencyPartsOnly, true, true, []string{"240p", "Also: MediaPlaylistRedirected."}},
		"twins that differ":        {func(_ map[string]*Playlist, e *Evidence) { e.Alike = []Likeness{{"audio-en", "audio-en-2", false}} }, SameIdentity, false, true, []string{"audio-en and audio-en-2", "differ"}},
		"twins not compared":       {func(_ map[string]*Playlist, e *Evidence) { e.Alike = nil }, SameIdentity, false, true, []string{"audio-en and audio-en-2", "yet"}},
		"a twin that is not there": {func(l map[string]*Playlist, e *Evidence) { e.Alike = nil; delete(l, "audio-en-2") }, Peerable, false, false, nil},
		"ads for each session": {func(_ map[string]*Playlist, e *Evidence) {
			e.Differences = []Difference{{Rendition: "720p", Sequence: 7}}
		}, DifferentPerSession, true, true, []string{"Segment 7 of rendition 720p"}},
		"seeders get something else": {func(_ map[string]*Playlist, e *Evidence) {
			e.Differences = []Difference{{Rendition: "720p", Sequence: 7, Clients: true}}
		}, DifferentPerClient, true, true, []string{"seeders"}},
		"compressed": {func(_ map[string]*Playlist, e *Evidence) { e.Travel = []Trouble{{"720p", SegmentsEncoded, "gzip"}} }, SegmentsEncoded, true, true, []string{"(gzip)"}},
		"no ranges":  {func(_ map[string]*Playlist, e *Evidence) { e.Travel = []Trouble{{"720p", RangesIgnored, ""}} }, Peerable, false, false, []string{"RangesIgnored: "}},
		"no ranges, and needs them": {func(l map[string]*Playlist, e *Evidence) {
			l["audio-en"].Segments = []Segment{{Range: &ByteRange{0, 9}}}
			e.Travel = []Trouble{{"audio-en", RangesIgnored, ""}}
		}, RangesIgnored, false, true, nil},
		"no length": {func(_ map[string]*Playlist, e *Evidence) { e.Travel = []Trouble{{"720p", NoContentLength, ""}} }, Peerable, false, false, []string{"Content-Length"}},
		"no length, refused": {func(_ map[string]*Playlist, e *Evidence) {
			e.Travel = []Trouble{{"720p", NoContentLength, "no chunks"}}
		}, NoContentLength, false, false, []string{"(no chunks)"}},
		"cookies":           {func(_ map[string]*Playlist, e *Evidence) { e.Travel = []Trouble{{"720p", NeedsCookie, ""}} }, Peerable, false, false, []string{"cookie"}},
		"what is not known": {func(_ map[string]*Playlist, e *Evidence) { e.Travel = []Trouble{{"720p", "Later", ""}} }, Peerable, false, false, nil},
		"one redirected to": {func(_ map[string]*Playlist, e *Evidence) {
			e.Masters = []string{"https://a.test/m", "https://a.test/m"}
		}, Peerable, false, false, nil},
		"two redirected to": {func(_ map[string]*Playlist, e *Evidence) {
			e.Masters = []string{"https://a.test/m", "https://b.test/m"}
		}, Peerable, false, false, []string{"https://a.test/m", "https://b.test/m", "swarm id"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := Evidence{Playlists: map[string]*Playlist{}, Alike: alike}
			for _, r := range p.Renditions {
				e.Playlists[r.Name] = plain()
			}
			tt.change(e.Playlists, &e)
			v := Judge(p, e)
			if v.Reason != tt.reason || v.Peerable != (tt.reason == Peerable) || v.MainOff != tt.main || v.SecondaryOff != tt.secondary {
				t.Errorf("got %+v", v)
			}
			for _, text := range tt.says {
				if !strings.Contains(v.Message, text) {
					t.Errorf("%q does not say %q", v.Message, text)
				}
			}
			if len(tt.says) == 0 && v.Peerable && v.Message != "" {
				t.Errorf("a warning: %q", v.Message)
			}
		})
	}
}
