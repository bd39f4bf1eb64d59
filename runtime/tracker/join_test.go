package tracker

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
)

const joinToken = "a-seeder-token"

func bearer(credential string) http.Header {
	return http.Header{"Authorization": {"Bearer " + credential}}
}

// credentialFor is a new credential of a site.
func credentialFor(t testing.TB, token, site string, now time.Time) (string, joins.Credential) {
	t.Helper()
	text, c, err := joins.Issue(token, site, time.Hour, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return text, c
}

const twoSites = `{"list":[{"name":"Bern","cidrs":["127.0.0.0/8"]},{"name":"Rome","cidrs":["10.2.0.0/16"],"crossSite":true}]}`

func withTwoSites(t *testing.T) (*Server, *volume) {
	t.Helper()
	v := newVolume(t)
	v.put(map[string]string{"sites.json": twoSites})
	return running(t, Config{SeederToken: joinToken, Sites: &SitesConfig{File: v.path("sites.json")}}), v
}

func TestWhoMayJoin(t *testing.T) {
	s, _ := withTwoSites(t)
	good, _ := credentialFor(t, joinToken, "Bern", time.Now())
	forged, _ := credentialFor(t, "another-token", "Bern", time.Now())
	old, _ := credentialFor(t, joinToken, "Bern", time.Now().Add(-2*time.Hour))
	oslo, _ := credentialFor(t, joinToken, "Oslo", time.Now())
	for name, tt := range map[string]struct {
		credential, query string
		status            int
	}{
		"good":                     {good, "", http.StatusSwitchingProtocols},
		"with its site":            {good, "?site=Bern", http.StatusSwitchingProtocols},
		"with another site":        {good, "?site=Rome", http.StatusForbidden},
		"forged":                   {forged, "", http.StatusUnauthorized},
		"expired":                  {old, "", http.StatusUnauthorized},
		"for no site of the map":   {oslo, "", http.StatusUnauthorized},
		"a token and a site":       {joinToken, "?site=" + url.QueryEscape("Rome"), http.StatusSwitchingProtocols},
		"a token and no such site": {joinToken, "?site=Oslo", http.StatusForbidden},
	} {
		c, status, err := tryDial(s, bearer(tt.credential), tt.query)
		if status != tt.status {
			t.Errorf("%s: %d, %v, want %d", name, status, err, tt.status)
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

// TestWithoutSitesNoneJoins: a seeder of a site would serve all viewers there.
func TestWithoutSitesNoneJoins(t *testing.T) {
	s := running(t, Config{SeederToken: joinToken})
	bern, _ := credentialFor(t, joinToken, "Bern", time.Now())
	for query, credential := range map[string]string{"": bern, "?site=Bern": joinToken} {
		if _, status, err := tryDial(s, bearer(credential), query); err == nil {
			t.Errorf("%q: %d", query, status)
		}
	}
}

// edgeID is a peer id that only seeders may use.
func edgeID(n byte) signaling.ID {
	return signaling.ID([]byte("-PS0001-00000000000" + string(rune('0'+n))))
}

// TestAJoinedSeederServesItsSiteOnly: viewers of this machine are in Bern.
func TestAJoinedSeederServesItsSiteOnly(t *testing.T) {
	s, _ := withTwoSites(t)
	bern, _ := credentialFor(t, joinToken, "Bern", time.Now())
	rome, _ := credentialFor(t, joinToken, "Rome", time.Now())
	inside, outside := dial(t, s, bearer(bern), ""), dial(t, s, bearer(rome), "")
	for i, c := range []*client{inside, outside} {
		c.send(announce(hashOne, edgeID(byte(i)), 0))
		c.expect(signaling.KindReply)
	}
	viewer := dial(t, s, nil, "")
	viewer.send(announce(hashOne, peerID(1), 5))
	viewer.expect(signaling.KindReply)
	if m := inside.expect(signaling.KindOffer); !m.Origin.Near || m.PeerID != peerID(1) {
		t.Errorf("%+v", m)
	}
	outside.send(announce(hashOne, edgeID(1), 5))
	outside.expect(signaling.KindReply) // and not an offer
	viewer.send(announce(hashOne, peerID(1), 0))
	viewer.expect(signaling.KindReply) // the same
}

// TestAJoinedSeederMakesNoSwarm: otherwise viewers could meet there for anything.
func TestAJoinedSeederMakesNoSwarm(t *testing.T) {
	s, _ := withTwoSites(t)
	s.streams.only.hub.allow([]signaling.ID{})
	bern, _ := credentialFor(t, joinToken, "Bern", time.Now())
	c := dial(t, s, bearer(bern), "")
	c.send(announce(hashOne, edgeID(1), 0))
	c.expect(signaling.KindFailure)
	central := dial(t, s, bearer(joinToken), "")
	central.send(announce(hashOne, edgeID(2), 0))
	central.expect(signaling.KindReply)
	c.send(announce(hashOne, edgeID(1), 0))
	c.expect(signaling.KindReply)
}

// TestAJoinedSeederTakesNoPlace of another seeder by its id, which viewers know.
func TestAJoinedSeederTakesNoPlace(t *testing.T) {
	s, _ := withTwoSites(t)
	central := dial(t, s, bearer(joinToken), "?site=Bern")
	central.send(announce(hashOne, edgeID(1), 0))
	central.expect(signaling.KindReply)
	rome, _ := credentialFor(t, joinToken, "Rome", time.Now())
	thief := dial(t, s, bearer(rome), "")
	thief.send(announce(hashOne, edgeID(1), 0))
	thief.expect(signaling.KindReply)
	viewer := dial(t, s, nil, "")
	viewer.send(announce(hashOne, peerID(1), 5))
	viewer.expect(signaling.KindReply)
	central.expect(signaling.KindOffer)
}

// TestRevoked: a credential that the map names is not accepted, and sockets that were opened with it are closed.
func TestRevoked(t *testing.T) {
	s, v := withTwoSites(t)
	text, c := credentialFor(t, joinToken, "Bern", time.Now())
	other, _ := credentialFor(t, joinToken, "Bern", time.Now())
	open, stays := dial(t, s, bearer(text), ""), dial(t, s, bearer(other), "")
	for i, c := range []*client{open, stays} {
		c.send(announce(hashOne, edgeID(byte(i)), 0))
		c.expect(signaling.KindReply)
	}
	v.put(map[string]string{"sites.json": `{"list":[{"name":"Bern","cidrs":["127.0.0.0/8"],"revoked":["` + c.ID + `"]}]}`})
	s.sites.Check()
	_ = open.gone()
	if _, status, err := tryDial(s, bearer(text), ""); err == nil || status != http.StatusUnauthorized {
		t.Errorf("%d, %v", status, err)
	}
	stays.send(announce(hashOne, edgeID(1), 0))
	stays.expect(signaling.KindReply)
}

// TestAnExpiredSocketIsClosed, not only refused when it is opened again.
func TestAnExpiredSocketIsClosed(t *testing.T) {
	s, _ := withTwoSites(t)
	text, _, err := joins.Issue(joinToken, "Bern", 2*time.Second, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, s, bearer(text), "")
	c.send(announce(hashOne, edgeID(1), 0))
	c.expect(signaling.KindReply)
	_ = c.gone()
}
