package viewerapi

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
)

// joining makes the rig accept credentials that were made with its token.
func joining(t *testing.T) (r *rig, credential string) {
	t.Helper()
	r = newRig(t, Config{})
	r.sites = offices(t, sites.Full)
	r.deps.Join = func(text string) (joins.Credential, error) { return joins.Verify(text, []string{"secret"}, r.now) }
	text, _, err := joins.Issue("secret", "berlin", time.Hour, r.now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return r, text
}

// TestReportOfAJoinedSeeder: it speaks for its own site, whatever it says.
func TestReportOfAJoinedSeeder(t *testing.T) {
	r, credential := joining(t)
	body := strings.Replace(fmt.Sprintf(seederReport, 1, 500), `"peers":1,`, `"peers":1,"edgeSite":"wifi","swarmID":"another",`, 1)
	for name, header := range map[string]string{"forged": credential + "A", "none": ""} {
		if w := r.do("POST", "/v1/telemetry", body, "Authorization", "Bearer "+header); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := r.do("POST", "/v1/telemetry", body, "Authorization", "Bearer "+credential); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	s := r.Stats()
	if s.SeedersHold || s.SeedersHolding != 0 || len(s.Behind) > 0 {
		t.Errorf("it counts as a seeder that holds the stream: %+v", s)
	}
	if len(s.SeederStates) != 1 || s.SeederStates[0].Site != "berlin" || s.SeederStates[0].State.EdgeSite != "berlin" || s.SeederStates[0].State.SwarmID != "" ||
		!strings.HasPrefix(s.SeederStates[0].ID, "join-") {
		t.Errorf("%+v", s.SeederStates)
	}
}

// TestWhatAJoinedSeederMayAsk: lists of hashes and their key, and nothing else that a seeder with the token may.
func TestWhatAJoinedSeederMayAsk(t *testing.T) {
	r, credential := joining(t)
	auth := []string{"Authorization", "Bearer " + credential}
	if w := r.do("GET", "/v1/hashes?session=", "", auth...); w.Code != http.StatusOK {
		t.Errorf("the key of the hashes: %d %s", w.Code, w.Body)
	}
	if w := r.do("GET", "/v1/hashes?session=", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("the key without a credential: %d", w.Code)
	}
	if w := r.do("POST", "/v1/hashes", "{}", auth...); w.Code != http.StatusUnauthorized {
		t.Errorf("adding hashes: %d %s", w.Code, w.Body)
	}
	if w := r.do("GET", "/v1/stats", "", auth...); strings.Contains(w.Body.String(), "seederStates") {
		t.Errorf("statistics for operators: %d %s", w.Code, w.Body)
	}
	r.now = r.now.Add(time.Hour)
	if w := r.do("GET", "/v1/hashes?session=", "", auth...); w.Code != http.StatusUnauthorized {
		t.Errorf("an expired credential: %d", w.Code)
	}
}

// TestReportOfAnEdgeSeeder with the token: its traffic is of the site that it names, if there is one of that name.
func TestReportOfAnEdgeSeeder(t *testing.T) {
	for site, want := range map[string]string{"berlin": "berlin", "oslo": ""} {
		r := newRig(t, Config{})
		r.sites = offices(t, sites.Full)
		body := strings.Replace(fmt.Sprintf(seederReport, 1, 500), `"peers":1,`, `"peers":1,"edgeSite":"`+site+`",`, 1)
		if w := r.do("POST", "/v1/telemetry", body, "Authorization", "Bearer secret"); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		s := r.Stats()
		if s.SeedersHold || len(s.SeederStates) != 1 || s.SeederStates[0].Site != want {
			t.Errorf("%s: %+v", site, s.SeederStates)
		}
	}
}
