package addresses

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// behind is a tracker behind proxies in 10.0.0.0/8 and fd00::/8.
func behind(problem func(Problem)) *Source {
	return &Source{Headers: true, Problem: problem, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
}

func TestClientBehindProxies(t *testing.T) {
	for _, c := range []struct {
		name, peer, forwarded, listed string
		want                          string
		problem                       Problem
	}{
		{"no headers", "10.0.0.1", "", "", "10.0.0.1", ""},
		{"one proxy", "10.0.0.1", "", "192.0.2.7", "192.0.2.7", ""},
		{"two proxies", "10.0.0.1", "", "192.0.2.7, 10.0.0.2", "192.0.2.7", ""},
		{"the client's claim", "10.0.0.1", "", "198.51.100.9, 192.0.2.7", "192.0.2.7", ""},
		{"a proxy that the client claims", "10.0.0.1", "", "198.51.100.9, 10.9.9.9, 192.0.2.7", "192.0.2.7", ""},
		{"only proxies", "10.0.0.1", "", "10.0.0.3, 10.0.0.2", "10.0.0.3", ""},
		{"a stranger", "192.0.2.7", `for=10.1.1.1`, "10.1.1.1", "192.0.2.7", ""},
		{"RFC 7239", "10.0.0.1", `for=192.0.2.60;proto=http;by=203.0.113.43`, "", "192.0.2.60", ""},
		{"RFC 7239 with IPv6", "fd00::1", `For="[2001:db8:cafe::17]:4711"`, "", "2001:db8:cafe::17", ""},
		{"RFC 7239, two proxies", "10.0.0.1", `for=198.51.100.17, For="192.0.2.43:80";proto=https, for=10.0.0.2`, "", "192.0.2.43", ""},
		{"quotes with separators", "10.0.0.1", `by="a,b;for=1.1.1.1\",";for=192.0.2.8`, "", "192.0.2.8", ""},
		{"obfuscated", "10.0.0.1", `for=_hidden, for=10.0.0.2`, "", "10.0.0.2", Unreadable},
		{"unknown", "10.0.0.1", `for=unknown`, "", "10.0.0.1", Unreadable},
		{"an open quote", "10.0.0.1", `for="192.0.2.8, for=192.0.2.9`, "", "10.0.0.1", Unreadable},
		{"an open quote that hides what the proxy adds", "10.0.0.1", `for=198.51.100.9;x=", for=192.0.2.8`, "", "10.0.0.1", Unreadable},
		{"and one that it closes", "10.0.0.1", `for=198.51.100.9;x=", for="[2001:db8::8]"`, "", "10.0.0.1", Unreadable},
		{"without for", "10.0.0.1", `proto=https`, "", "10.0.0.1", Unreadable},
		{"port and IPv4 in IPv6", "10.0.0.1", "", "::ffff:192.0.2.7, 10.0.0.2:4711", "192.0.2.7", ""},
		{"a zone", "10.0.0.1", "", "fe80::1%eth0", "fe80::1", ""},
		{"nonsense", "10.0.0.1", "", "192.0.2.7, <script>", "10.0.0.1", Unreadable},
		{"both agree", "10.0.0.1", `for=192.0.2.7`, "192.0.2.7", "192.0.2.7", ""},
		{"both, and the client claims one", "10.0.0.1", `for=198.51.100.9`, "192.0.2.7", "10.0.0.1", Conflict},
		{"both, and the client claims the other", "10.0.0.1", `for=192.0.2.7`, "198.51.100.9", "10.0.0.1", Conflict},
		{"many proxies", "10.0.0.1", "", strings.Repeat("10.0.0.1, ", 40) + "10.0.0.1", "10.0.0.1", TooManyHops},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if c.forwarded != "" {
				r.Header.Set("Forwarded", c.forwarded)
			}
			if c.listed != "" {
				r.Header.Set("X-Forwarded-For", c.listed)
			}
			var problems []Problem
			got := behind(func(p Problem) { problems = append(problems, p) }).Client(r, netip.MustParseAddr(c.peer))
			if got.Addr != netip.MustParseAddr(c.want) || got.Proxied != (c.peer != "192.0.2.7") {
				t.Errorf("%+v, want %s", got, c.want)
			}
			if c.problem == "" && problems != nil || c.problem != "" && !slices.Equal(problems, []Problem{c.problem}) {
				t.Errorf("problems %v", problems)
			}
		})
	}
}

// TestSeveralLines: a proxy may add a line instead of an entry.
func TestSeveralLines(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Add("X-Forwarded-For", "198.51.100.9")
	r.Header.Add("X-Forwarded-For", "192.0.2.7")
	if got := behind(nil).Client(r, netip.MustParseAddr("10.0.0.1")); got.Addr != netip.MustParseAddr("192.0.2.7") {
		t.Errorf("%+v", got)
	}
}

func TestFrom(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "[::ffff:192.0.2.1]:4711"
	if got := From(r); got != (Client{Addr: netip.MustParseAddr("192.0.2.1")}) {
		t.Errorf("%+v", got)
	}
	want := Client{Addr: netip.MustParseAddr("192.0.2.2"), Proxied: true}
	if got := From(r.WithContext(With(r.Context(), want))); got != want {
		t.Errorf("%+v", got)
	}
	if Peer("nonsense").IsValid() {
		t.Error("nonsense is an address")
	}
	var none *Source
	if got := none.Client(r, netip.MustParseAddr("192.0.2.3")); got.Addr != netip.MustParseAddr("192.0.2.3") || got.Proxied {
		t.Errorf("%+v", got)
	}
}

// FuzzForwarded: whatever a stranger sends through an honest proxy, which adds the stranger's address at the end of one of the
// headers, the client is the stranger or, at worst, the proxy.
func FuzzForwarded(f *testing.F) {
	f.Add(`for=192.0.2.60;proto=http`, "198.51.100.1", true)
	f.Add(`for="[2001:db8::1]`, ",,", false)
	f.Add(`for=198.51.100.9;x="`, "", true)
	f.Add(`for=198.51.100.9;x="\`, "198.51.100.9:", true)
	f.Add(`for=10.0.0.1,for="10.0.0.2\",`, "10.0.0.1", true)
	f.Fuzz(func(t *testing.T, forwarded, listed string, standard bool) {
		peer, client := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("192.0.2.7")
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if forwarded != "" {
			r.Header["Forwarded"] = []string{forwarded}
		}
		if listed != "" {
			r.Header["X-Forwarded-For"] = []string{listed}
		}
		if standard {
			r.Header["Forwarded"] = append(r.Header["Forwarded"], "for=192.0.2.7")
		} else {
			r.Header["X-Forwarded-For"] = append(r.Header["X-Forwarded-For"], "192.0.2.7")
		}
		if got := behind(nil).Client(r, peer); got.Addr != client && got.Addr != peer {
			t.Fatalf("%q %q: the client is %s", r.Header["Forwarded"], r.Header["X-Forwarded-For"], got.Addr)
		}
	})
}
