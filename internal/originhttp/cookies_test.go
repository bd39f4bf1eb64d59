package originhttp

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// setter answers with what it was asked and sets cookies.
type setter struct {
	sets  []string
	asked []string // Cookie headers
}

func (s *setter) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, r.Header.Get("Cookie"))
	h := http.Header{"Set-Cookie": s.sets}
	s.sets = nil
	return &http.Response{StatusCode: http.StatusOK, Header: h, Body: http.NoBody, Request: r}, nil
}

func (s *setter) last() string { return s.asked[len(s.asked)-1] }

func TestCookiesStayWithTheOrigin(t *testing.T) {
	for name, c := range map[string]struct {
		from, set, to string
		want          string // sent
		why           string // not kept
	}{
		"own host":              {"https://live.example.com/m.m3u8", "hdntl=1; Path=/", "https://live.example.com/v/1.ts", "hdntl=1", ""},
		"another port":          {"https://live.example.com/m.m3u8", "a=1; Path=/", "https://live.example.com:8443/1.ts", "a=1", ""},
		"another path":          {"https://live.example.com/a/m.m3u8", "a=1", "https://live.example.com/b/1.ts", "", ""},
		"a sister host":         {"https://live.example.com/m.m3u8", "a=1; Path=/; Domain=example.com", "https://cdn.example.com/1.ts", "a=1", ""},
		"host only":             {"https://live.example.com/m.m3u8", "a=1; Path=/", "https://cdn.example.com/1.ts", "", ""},
		"another site":          {"https://live.example.com/m.m3u8", "a=1; Path=/; Domain=example.com", "https://example.org/1.ts", "", ""},
		"secure":                {"https://live.example.com/m.m3u8", "a=1; Path=/; Secure", "http://live.example.com/1.ts", "", ""},
		"set by another host":   {"https://cdn.example.net/m.m3u8", "a=1; Path=/", "https://cdn.example.net/1.ts", "", CookieOtherHost},
		"for another domain":    {"https://live.example.com/m.m3u8", "a=1; Path=/; Domain=example.org", "https://example.org/1.ts", "", CookieOtherDomain},
		"for a public suffix":   {"https://live.example.com/m.m3u8", "a=1; Path=/; Domain=com", "https://live.example.com/1.ts", "", CookieOtherDomain},
		"larger than the bound": {"https://live.example.com/m.m3u8", "a=" + strings.Repeat("x", maxCookieBytes) + "; Path=/", "https://live.example.com/1.ts", "", CookieTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			base := &setter{sets: []string{c.set}}
			tr, err := New(Config{URL: "https://live.example.com/m.m3u8", Base: base})
			if err != nil {
				t.Fatal(err)
			}
			for _, url := range []string{c.from, c.to} {
				if _, err := ask(t, tr, url); err != nil {
					t.Fatal(err)
				}
			}
			if base.last() != c.want {
				t.Errorf("sent %q, want %q", base.last(), c.want)
			}
			want := map[string]int64(nil)
			if c.why != "" {
				want = map[string]int64{c.why: 1}
			}
			if diff := cmp.Diff(want, tr.CookiesDropped()); diff != "" || (tr.CookieRefused() != "") != (c.why != "") {
				t.Errorf("refused %q, %s", tr.CookieRefused(), diff)
			}
			if tr.CookiesDropped() != nil {
				t.Error("counted twice")
			}
		})
	}
}

func TestConfiguredCookiesComeFirst(t *testing.T) {
	base := &setter{sets: []string{"a=origin; Path=/", "b=origin; Path=/"}}
	tr, err := New(Config{URL: "https://o.example/m.m3u8", Base: base, Headers: http.Header{"Cookie": {"a=configured"}}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := ask(t, tr, "https://o.example/s.ts"); err != nil {
			t.Fatal(err)
		}
	}
	if base.last() != "a=configured; b=origin" {
		t.Errorf("sent %q", base.last())
	}
}

// TestCookiesAreBounded sets ever new ones: the oldest go.
func TestCookiesAreBounded(t *testing.T) {
	base := &setter{}
	tr, err := New(Config{URL: "https://o.example/m.m3u8", Base: base})
	if err != nil {
		t.Fatal(err)
	}
	const all = 3 * maxCookies
	for i := range all {
		base.sets = []string{fmt.Sprintf("c%d=x; Path=/", i)}
		if _, err := ask(t, tr, "https://o.example/s.ts"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ask(t, tr, "https://o.example/s.ts"); err != nil {
		t.Fatal(err)
	}
	sent := strings.Split(base.last(), "; ")
	if len(sent) != maxCookies || !strings.Contains(base.last(), fmt.Sprintf("c%d=x", all-1)) || strings.Contains(base.last(), "c0=x") {
		t.Errorf("%d cookies sent: %s", len(sent), base.last())
	}
	if n := tr.CookiesDropped()[CookieEvicted]; n != all-maxCookies {
		t.Errorf("%d cookies counted as evicted", n)
	}
}
