package originhttp

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
)

// Bounds of the cookies of one origin: a browser keeps about as many of one host.
const (
	maxCookies     = 64
	maxCookieBytes = 4 << 10 // of one, its attributes included
)

// Why a cookie was not kept, or not kept any longer.
const (
	CookieOtherHost   = "other_host"   // set by another host than the origin's
	CookieOtherDomain = "other_domain" // set for a domain that the origin is not in
	CookieTooLarge    = "too_large"
	CookieEvicted     = "evicted" // too many: the oldest went
)

// CookieReasons are all of them.
func CookieReasons() []string {
	return []string{CookieOtherHost, CookieOtherDomain, CookieTooLarge, CookieEvicted}
}

// cookies are those that an origin has set. Cookies of other hosts are not kept: a playlist may name many. Where a
// cookie is sent is decided as in browsers, by its domain, path and protocol.
type cookies struct {
	host string // of the origin

	mu      sync.Mutex
	jar     *cookiejar.Jar
	kept    []cookieName // oldest first
	dropped map[string]int64
	refused string // the last one that was not kept, in words
}

// cookieName is what tells a cookie from another.
type cookieName struct {
	name, domain, path string
	from               string // scheme and host
}

func newCookies(host string) *cookies {
	jar, _ := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List}) // it has no error to return
	return &cookies{host: host, jar: jar, dropped: make(map[string]int64)}
}

// add returns the request with the cookies that belong to it; the caller's is not changed.
func (c *cookies) add(r *http.Request) *http.Request {
	own := c.jar.Cookies(r.URL)
	if len(own) == 0 {
		return r
	}
	// A cookie of the configuration stands before one of the same name that the origin has set.
	configured := make(map[string]bool)
	for _, set := range r.Cookies() {
		configured[set.Name] = true
	}
	out := r.Clone(r.Context())
	for _, set := range own {
		if !configured[set.Name] {
			out.AddCookie(set)
		}
	}
	return out
}

// take keeps what a response sets.
func (c *cookies) take(r *http.Response, u *url.URL) {
	if len(r.Header["Set-Cookie"]) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, set := range r.Cookies() {
		if why := c.unwanted(set, u); why != "" {
			c.dropped[why]++
			c.refused = refusal(why, u)
			continue
		}
		c.jar.SetCookies(u, []*http.Cookie{set})
		c.remember(set, u)
	}
}

func (c *cookies) unwanted(set *http.Cookie, u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	domain := strings.ToLower(strings.TrimPrefix(set.Domain, "."))
	suffix, _ := publicsuffix.PublicSuffix(domain)
	switch {
	case host != c.host:
		return CookieOtherHost
	case len(set.Raw) > maxCookieBytes:
		return CookieTooLarge
	case domain != "" && domain != host && (domain == suffix || !strings.HasSuffix(host, "."+domain)):
		return CookieOtherDomain
	}
	return ""
}

func refusal(why string, u *url.URL) string {
	text := map[string]string{
		CookieOtherHost:   "it is not the host of the manifest's URL",
		CookieOtherDomain: "it set the cookie for a domain that it is not in",
		CookieTooLarge:    "the cookie is too large",
	}[why]
	const longest = 100
	host := u.Hostname()
	return "a cookie of " + host[:min(len(host), longest)] + " was not kept, because " + text
}

// remember notes a cookie, and expires the oldest when there are too many; c is locked.
func (c *cookies) remember(set *http.Cookie, u *url.URL) {
	name := cookieName{name: set.Name, domain: set.Domain, path: set.Path, from: u.Scheme + "://" + u.Host}
	if name.path == "" {
		name.path = u.Path[:max(strings.LastIndexByte(u.Path, '/'), 0)] + "/" // near enough: one that is counted twice is evicted earlier
	}
	for i := range c.kept {
		if c.kept[i] == name {
			return
		}
	}
	c.kept = append(c.kept, name)
	if len(c.kept) <= maxCookies {
		return
	}
	oldest := c.kept[0]
	c.kept = append(c.kept[:0], c.kept[1:]...)
	c.dropped[CookieEvicted]++
	if at, err := url.Parse(oldest.from + oldest.path + "x"); err == nil {
		path := oldest.path
		if !strings.HasPrefix(path, "/") {
			path = ""
		}
		//nolint:gosec // it removes a cookie from our own jar, and no browser sees it
		c.jar.SetCookies(at, []*http.Cookie{{Name: oldest.name, Domain: oldest.domain, Path: path, MaxAge: -1}})
	}
}

// CookiesDropped returns how many cookies were not kept since the last call, by reason.
func (t *Transport) CookiesDropped() map[string]int64 {
	c := t.cookies
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.dropped) == 0 {
		return nil
	}
	out := c.dropped
	c.dropped = make(map[string]int64)
	return out
}

// CookieRefused says in words which cookie was not kept last, and why. It is empty if all were.
func (t *Transport) CookieRefused() string {
	t.cookies.mu.Lock()
	defer t.cookies.mu.Unlock()
	return t.cookies.refused
}
