package tracker

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// TestBasePath: behind an entrance that leads requests here by a prefix, all works below it, and without it where a proxy has
// removed it.
func TestBasePath(t *testing.T) {
	s := running(t, Config{BasePath: "/ecdn", Stream: &StreamConfig{SourceURL: "http://127.0.0.1:1/m.m3u8"}})
	at := "http://" + s.Addr().String()
	for path, want := range map[string]int{
		"/ecdn/v1/config": http.StatusOK, "/v1/config": http.StatusOK, "/ecdn/player": http.StatusOK, "/ecdn/p2pstream.js": http.StatusOK,
		"/ecdn/announce": http.StatusUpgradeRequired, "/ecdn/": http.StatusUpgradeRequired, "/ecdnx/v1/config": http.StatusNotFound, "/ecdn/ecdn/v1/config": http.StatusNotFound,
	} {
		status, body := get(t, at+path)
		if status != want {
			t.Errorf("%s: %d, want %d: %s", path, status, want, body)
		}
		if path == "/ecdn/player" && (strings.Contains(body, `src="/`) || strings.Contains(body, `href="/`)) {
			t.Errorf("the player page has links to the root: %s", body)
		}
	}
	_, body := get(t, at+"/ecdn/v1/config")
	var c viewerapi.ViewerConfig
	if err := json.Unmarshal([]byte(body), &c); err != nil {
		t.Fatal(err)
	}
	below := s.Addr().String() + "/ecdn/"
	if !strings.HasPrefix(c.Trackers[0], "ws://"+below+"announce") || c.Telemetry.URL != "http://"+below+"v1/telemetry" {
		t.Errorf("URLs of viewers: %v, %s", c.Trackers, c.Telemetry.URL)
	}
	ws, resp, err := websocket.DefaultDialer.Dial(c.Trackers[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	_ = ws.Close()
}
