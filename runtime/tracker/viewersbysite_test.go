package tracker

import (
	"maps"
	"net/http"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
)

// TestViewersBySite counts the sockets of viewers as they come, move with the map, and go.
func TestViewersBySite(t *testing.T) {
	s := running(t, Config{SeederToken: "secret"})
	s.streams.only.hub.setPlaces(byThirdByte)
	expect := func(when string, want map[string]int) {
		t.Helper()
		eventually(t, when, func() bool { return maps.Equal(s.streams.only.hub.places.viewersBySite(), want) })
	}
	dialFrom(t, s, "127.0.9.1", http.Header{"Authorization": {"Bearer secret"}}, "")
	dialFrom(t, s, "127.0.1.1", nil, "")
	dialFrom(t, s, "127.0.1.2", nil, "")
	leaving := dialFrom(t, s, "127.0.2.1", nil, "")
	expect("after they came", map[string]int{"site1": 2, "site2": 1})
	s.streams.only.hub.setPlaces(func(sockets.Client) swarm.Place { return swarm.Place{Site: "all"} })
	expect("with another map", map[string]int{"all": 3})
	_ = leaving.ws.Close()
	expect("after one left", map[string]int{"all": 2})
	s.streams.only.hub.setPlaces(nil)
	expect("without a map", map[string]int{"": 2})
}
