// Package web owns what browsers load from the tracker: the reporter script p2pstream.js, the part of it that checks
// segments, the part that sends reports, the viewer SDK, the player page, the dashboard, and the pinned bundles that pages need. Everything is embedded, so that the binary needs
// no files and no network to serve it; build.sh regenerates it. The SDK is also an npm package, with tests of its own (npm test).
package web

import (
	"bytes"
	"embed"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed dist/p2pstream.js dist/p2pstream.mjs dist/p2pstream-check.mjs dist/p2pstream-report.mjs dist/p2pstream-viewer.mjs dist/player.js dist/player.css dist/dashboard.js dist/dashboard.css dashboard/dashboard.html dashboard/network.html player/player.html third_party
var files embed.FS

// assets are all files by their path. They are compressed once.
var assets = sync.OnceValue(load)

// Values of Cache-Control: for a URL whose content may change, and for one that names its content.
const (
	revalidated = "no-cache"
	immutable   = "public, max-age=31536000, immutable" // a year; RFC 8246
)

// Paths lists the patterns, as http.ServeMux reads them, of everything that Handler serves.
func Paths() []string {
	paths := []string{"/player", "/player/", "/vendor/"}
	for _, name := range scripts {
		paths = append(paths, "/"+name)
	}
	return paths
}

// DashboardPaths lists the patterns of the dashboard, which Handler serves too. Not everyone may see it, so that it is mounted
// apart from the rest.
func DashboardPaths() []string { return []string{"/dashboard", "/dashboard/"} }

// Handler serves /dashboard, /dashboard/…, /player, /p2pstream.js, /p2pstream.mjs, /p2pstream-check.mjs, /p2pstream-report.mjs, /p2pstream-viewer.mjs, /player/… and
// /vendor/…. Scripts may be loaded by pages of
// any origin. Every answer has an ETag and is compressed for clients that accept it. With the query "h=HASH" of its
// current content, as the player page refers to it, a file may be cached forever; otherwise it is revalidated, since the
// URL does not change with the version. embedders are the origins of pages that may show the player in a frame, beside its own;
// "*" stands for all.
func Handler(embedders ...string) http.Handler {
	assets := assets()
	ancestors := "; frame-ancestors " + frameAncestors(embedders)
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
		header.Set("Cache-Control", revalidated)
		if a.policy == "" && r.URL.Query().Get("h") == a.hash {
			header.Set("Cache-Control", immutable)
		}
		header.Set("Referrer-Policy", "no-referrer")
		if a.policy != "" {
			policy := a.policy
			if r.URL.Path == "/player" {
				policy += ancestors
			}
			header.Set("Content-Security-Policy", policy)
		} else if !strings.HasPrefix(r.URL.Path, "/dashboard/") {
			header.Set("Access-Control-Allow-Origin", "*")
			header.Set("Cross-Origin-Resource-Policy", "cross-origin")
		}
		body, etag := a.body, a.hash
		if a.compressed != nil {
			header.Set("Vary", "Accept-Encoding")
			if acceptsGzip(r.Header.Values("Accept-Encoding")) {
				header.Set("Content-Encoding", "gzip")
				body, etag = a.compressed, a.hash+"-gzip" // the tag of one representation (RFC 9110 §8.8.3.3)
			}
		}
		header.Set("ETag", `"`+etag+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

// networkPage is the page of many streams. No pattern leads to it: it takes the place of /dashboard.
const networkPage = "/network"

// NetworkHandler is Handler for the dashboard of many streams instead of one.
func NetworkHandler() http.Handler {
	all := Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/dashboard" {
			other := r.Clone(r.Context())
			other.URL.Path = networkPage
			r = other
		}
		all.ServeHTTP(w, r)
	})
}

// acceptsGzip reports whether the values of Accept-Encoding (RFC 9110 §12.5.3) name gzip, or everything, with a weight
// above zero.
func acceptsGzip(values []string) bool {
	others := false
	for _, value := range values {
		for coding := range strings.SplitSeq(value, ",") {
			name, parameters, _ := strings.Cut(coding, ";")
			weight := 1.0
			if q, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(parameters)), "q="); ok {
				var err error
				if weight, err = strconv.ParseFloat(q, 64); err != nil {
					weight = 0
				}
			}
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				return weight > 0
			case "*":
				others = weight > 0
			}
		}
	}
	return others
}
