package viewerapi

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzHost sends arbitrary Host and forwarding headers: the addresses in the viewer configuration are always URLs
// of a host without a path.
func FuzzHost(f *testing.F) {
	f.Add("tracker.example:8000", "https", "cdn.example", "192.0.2.1, 10.0.0.1", true)
	f.Add("[::1]:8000", "", "", "::ffff:192.0.2.1", true)
	f.Add("a b", "javascript", "evil.example/path?x#y", ",,", false)
	f.Add("user@host", "http", "user:pass@host", "fe80::1%eth0", true)
	f.Add("\"><script>", "HTTPS,http", "host,other", "null", true)
	f.Fuzz(func(t *testing.T, host, proto, forwarded, from string, trust bool) {
		rig := newRig(t, Config{AllowedOrigins: []string{"https://intranet.example"}})
		rig.proxied = trust
		tryHost(t, rig, host, proto, forwarded, from)
	})
}

func tryHost(t *testing.T, rig *rig, host, proto, forwarded, from string) {
	t.Helper()
	r := httptest.NewRequest("GET", "/v1/config", nil)
	r.Host = host
	r.Header.Set("X-Forwarded-Proto", proto)
	r.Header.Set("X-Forwarded-Host", forwarded)
	r.Header.Set("X-Forwarded-For", from)
	r.Header.Set("Origin", "https://"+forwarded)
	r = rig.received(r)
	base := rig.base(r)
	if base.Host != "" {
		u, err := url.Parse(base.String())
		if err != nil || u.Host != base.Host || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" ||
			(u.Scheme != "http" && u.Scheme != "https") || strings.ContainsAny(base.Host, " \"<>\r\n\\") {
			t.Fatalf("told to connect to %q (%v)", base.String(), err)
		}
	}
	if addr := rig.client(r); addr.Zone() != "" || addr.Is4In6() {
		t.Fatalf("address %v", addr)
	}
	w := httptest.NewRecorder()
	rig.ServeHTTP(w, r)
	if allowed := w.Header().Get("Access-Control-Allow-Origin"); allowed != "" && allowed != "https://intranet.example" && !strings.EqualFold(allowed, r.Header.Get("Origin")) {
		t.Fatalf("origin %q allowed", allowed)
	}
}
