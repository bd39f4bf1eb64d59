package stats

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// TestDashboardTellsNoAddress: where the dashboard is public, everyone may read what is in it.
func TestDashboardTellsNoAddress(t *testing.T) {
	s := Stats{Boot: "secret-boot", StreamURL: "https://secret-origin/", SwarmID: "secret-swarm", OneAddress: "secret-address",
		STUN:         []STUN{{Server: "stun:secret-server"}, {Server: "stun:secret-other", Ready: true}},
		Renditions:   []Rendition{{Name: "720p", Swarms: []Swarm{{InfoHash: "secret-hash", Peers: 5, Seeders: 2}, {InfoHash: "secret-hash", Peers: 1, Seeders: 3}}}},
		SeederStates: []telemetry.SeederReport{{ID: "s", State: telemetry.SeederState{SwarmID: "secret-id", Peers: 3, MaxPeers: 10}}},
		Behind:       []Behind{{Seeder: "s"}, {Seeder: "s"}}, Elsewhere: []string{"secret-elsewhere"},
		Sites: []Site{{Name: "paris"}}}
	d := s.Dashboard()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "secret") {
		t.Errorf("%s", b)
	}
	if d.STUNServers != 2 || d.STUNDown != 1 || d.Renditions[0].Viewers != 3 || d.SeederStates[0].Behind != 2 || !d.HasSites || d.Sites[0].Name != "paris" {
		t.Errorf("%+v", d)
	}
}

func TestDashboardIsBounded(t *testing.T) {
	var s Stats
	for i := range 1000 {
		s.SeederStates = append(s.SeederStates, telemetry.SeederReport{ID: fmt.Sprint(i)})
		s.Renditions = append(s.Renditions, Rendition{Name: fmt.Sprint(i)})
	}
	if d := s.Dashboard(); len(d.SeederStates) != maxDashboardSeeders || len(d.Renditions) != maxDashboardRenditions {
		t.Errorf("%d seeders and %d renditions", len(d.SeederStates), len(d.Renditions))
	}
}

func TestDashboardOfNothing(t *testing.T) {
	b, err := json.Marshal(Stats{}.Dashboard())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"seederStates":[]`, `"renditions":[]`, `"sites":[]`, `"hasSites":false`, `"peerable":null`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s lacks %s", b, want)
		}
	}
}

func TestPercentiles(t *testing.T) {
	var w telemetry.Waits
	for i := range 100 {
		w.Startup.Add(time.Duration(i+1)*10*time.Millisecond, 1)
	}
	d := Stats{Offload: Offload{RecentWaits: &w}}.Dashboard()
	if p := d.Startup; p.Count != 100 || p.P50Ms < 480 || p.P50Ms > 520 || p.P95Ms < 930 || p.P95Ms > 980 || d.Stall != (Percentiles{}) {
		t.Errorf("%+v", d.Startup)
	}
}
