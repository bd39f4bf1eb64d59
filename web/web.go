// Package web owns what browsers load from the tracker: the reporter script p2pstream.js, the part of it that checks
// segments, the part that sends reports, the player page, and the pinned bundles that the page needs. Everything is embedded, so that the binary needs
// no files and no network to serve it; build.sh regenerates it.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

//go:embed dist/p2pstream.js dist/p2pstream.mjs dist/p2pstream-check.mjs dist/p2pstream-report.mjs player third_party
var files embed.FS

// importMap matches the only inline script of the player page.
var importMap = regexp.MustCompile(`(?s)<script type="importmap">(.*?)</script>`)

// asset is one file, ready to be served.
type asset struct {
	body        []byte
	contentType string
	etag        string
	policy      string // Content-Security-Policy, for pages
}

// Handler serves /player, /p2pstream.js, /p2pstream.mjs, /p2pstream-check.mjs, /p2pstream-report.mjs, /player/… and /vendor/…. Scripts may be loaded by pages of
// any origin. Every answer has an ETag and is revalidated, since the URLs do not change with the version.
func Handler() http.Handler {
	assets := load()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed; use GET", http.StatusMethodNotAllowed)
			return
		}
		a, ok := assets[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		header.Set("Content-Type", a.contentType)
		header.Set("ETag", a.etag)
		header.Set("Cache-Control", "no-cache")
		header.Set("Referrer-Policy", "no-referrer")
		if a.policy != "" {
			header.Set("Content-Security-Policy", a.policy)
		} else {
			header.Set("Access-Control-Allow-Origin", "*")
			header.Set("Cross-Origin-Resource-Policy", "cross-origin")
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
	})
}

func load() map[string]asset {
	assets := map[string]asset{}
	add := func(url, name string) {
		body, err := files.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("reading embedded %s: %v", name, err)) // a bug in this package, which every test finds
		}
		sum := sha256.Sum256(body)
		a := asset{body: body, contentType: contentType(name),
			etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
		if path.Ext(name) == ".html" {
			a.policy = policy(body)
		}
		assets[url] = a
	}
	add("/p2pstream.js", "dist/p2pstream.js")
	add("/p2pstream.mjs", "dist/p2pstream.mjs")
	add("/p2pstream-check.mjs", "dist/p2pstream-check.mjs")
	add("/p2pstream-report.mjs", "dist/p2pstream-report.mjs")
	add("/player", "player/player.html")
	add("/player/player.js", "player/player.js")
	add("/player/player.css", "player/player.css")
	entries, err := files.ReadDir("third_party")
	if err != nil {
		panic(fmt.Sprintf("reading embedded third_party: %v", err)) // as above
	}
	for _, e := range entries {
		add("/vendor/"+e.Name(), "third_party/"+e.Name())
	}
	return assets
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".json":
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

// policy returns the Content-Security-Policy of a page. It allows the tracker's own scripts and the page's import map, by
// its hash; hls.js runs a worker from a blob; streams and trackers may be on any host.
func policy(page []byte) string {
	scripts := []string{"'self'"}
	for _, m := range importMap.FindAllSubmatch(page, -1) {
		sum := sha256.Sum256(m[1])
		scripts = append(scripts, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src " + strings.Join(scripts, " "),
		"worker-src blob:",
		"style-src 'self'",
		"img-src 'self' data:",
		"media-src blob: http: https:",
		"connect-src 'self' http: https: ws: wss:",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'self'",
	}, "; ")
}
