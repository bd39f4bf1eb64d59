package viewerapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/sites"
)

// offices is a map with a site of each policy.
func offices(t *testing.T, fallback sites.Peering) *sites.Map {
	t.Helper()
	m, err := sites.New(sites.Config{Fallback: sites.Fallback{Peering: fallback}, List: []sites.Entry{
		{Name: "berlin", CIDRs: []string{"10.1.0.0/16"}},
		{Name: "wifi", CIDRs: []string{"10.2.0.0/16"}, Peering: sites.ReceiveOnly},
		{Name: "vpn", CIDRs: []string{"10.3.0.0/16"}, Peering: sites.Off},
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSettingsDependOnTheSite: a page of a site gets what its site may do, also where the stream's owner has settings of
// their own for the stream as a whole.
func TestSettingsDependOnTheSite(t *testing.T) {
	owners := map[string]json.RawMessage{"computed": nil,
		"of the owner": json.RawMessage(`{"core":{"isP2PDisabled":false,"isP2PUploadDisabled":false,"mainStream":{"isP2PUploadDisabled":false,"isP2PDisabled":false}}}`),
		"without core": json.RawMessage(`{"core":null}`)}
	for name, owner := range owners {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Config{Settings: owner})
			r.sites, r.proxied = offices(t, sites.Off), true
			for address, want := range map[string]struct {
				site        string
				upload, off bool
				why         string
			}{
				"10.1.0.1":  {"berlin", true, false, ""},
				"10.2.0.1":  {"wifi", false, false, ""},
				"10.3.0.1":  {"vpn", true, true, "peering is off at the site vpn"},
				"192.0.9.1": {"", true, true, "peering is off for addresses outside of all sites"},
			} {
				c := get[map[string]any](r, "/v1/config", "X-Forwarded-For", address)
				site, _ := c["site"].(string)
				why, _ := c["p2pOff"].(string)
				core, _ := c["settings"].(map[string]any)["core"].(map[string]any)
				off, _ := core["isP2PDisabled"].(bool)
				noUpload, _ := core["isP2PUploadDisabled"].(bool)
				if site != want.site || off != want.off || noUpload == want.upload || why != want.why {
					t.Errorf("%s: site %q, off %v, no upload %v, %q", address, site, off, noUpload, why)
				}
				main, _ := core["mainStream"].(map[string]any)
				for _, option := range []string{"isP2PDisabled", "isP2PUploadDisabled"} {
					if value, ok := main[option]; ok && core[option] == true && value == false {
						t.Errorf("%s: mainStream lifts %s", address, option)
					}
				}
			}
		})
	}
}

// TestWithoutSites the answer is as before: it says nothing of sites.
func TestWithoutSites(t *testing.T) {
	r := newRig(t, Config{})
	c := get[map[string]any](r, "/v1/config")
	if c["site"] != nil || c["p2pOff"] != nil {
		t.Errorf("site %v, %v", c["site"], c["p2pOff"])
	}
}

// TestReportsCountForTheSite of the address that they come from, and for another one after the map has changed.
func TestReportsCountForTheSite(t *testing.T) {
	r := newRig(t, Config{})
	r.sites, r.proxied = offices(t, sites.Full), true
	at := func(address string) string { return r.site(r.client(r.received(request(address)))).Name }
	if got := at("10.2.0.1"); got != "wifi" {
		t.Errorf("site %q", got)
	}
	r.sites = nil
	if got := at("10.2.0.1"); got != "" {
		t.Errorf("site %q", got)
	}
}

func request(from string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/config", nil)
	r.Header.Set("X-Forwarded-For", from)
	return r
}
