package session

import (
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// TestBytesAreCountedByPlace: the tracker says whether a peer is in the own site; without that it is outside.
func TestBytesAreCountedByPlace(t *testing.T) {
	for name, tt := range map[string]struct {
		origin signaling.Origin
		want   traffic.Played
	}{
		"inside":    {signaling.Origin{Near: true}, traffic.Played{Rendition: "720p", ViewerInside: 6}},
		"outside":   {signaling.Origin{Site: "Paris"}, traffic.Played{Rendition: "720p", ViewerOutside: 6}},
		"not known": {signaling.Origin{}, traffic.Played{Rendition: "720p", ViewerOutside: 6}},
	} {
		s, c := open(t)
		c.origin = tt.origin
		s.cfg.Played = s.cfg.Counters.Rendition("720p")
		requested(t, s, c)
		s.Message([]byte("cdefgh"))
		if got := s.cfg.Counters.Played(); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}
