package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// asset is one file, ready to be served.
type asset struct {
	body        []byte
	compressed  []byte // with gzip; nil if that saves nothing
	contentType string
	hash        string // of the body; it is valid in a URL and in an ETag
	policy      string // Content-Security-Policy, for pages
}

// references matches, in the files of the player page, the relative URLs of other files.
var references = regexp.MustCompile(`"(\.{0,2}/?)((?:vendor|player|dashboard)/[^"?]+|p2pstream\.mjs)"`)

// scripts are the files of dist/ that pages load.
var scripts = []string{"p2pstream.js", "p2pstream.mjs", "p2pstream-check.mjs", "p2pstream-report.mjs", "p2pstream-viewer.mjs"}

// load reads all files. Files that refer to others come after these, because they name their hashes.
func load() map[string]asset {
	assets := map[string]asset{}
	read := func(name string) []byte {
		body, err := files.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("reading embedded %s: %v", name, err)) // a bug in this package, which every test finds
		}
		return body
	}
	add := func(url, name string) { assets[url] = newAsset(name, read(name)) }
	referring := func(url, name string) {
		assets[url] = newAsset(name, references.ReplaceAllFunc(read(name), func(match []byte) []byte {
			parts := references.FindSubmatch(match)
			to, ok := assets["/"+string(parts[2])]
			if !ok {
				panic(fmt.Sprintf("embedded %s refers to %s, which is not served", name, parts[2])) // as above
			}
			return fmt.Appendf(nil, `"%s%s?h=%s"`, parts[1], parts[2], to.hash)
		}))
	}
	for _, name := range scripts {
		add("/"+name, "dist/"+name)
	}
	add("/player/player.css", "dist/player.css")
	add("/dashboard/dashboard.js", "dist/dashboard.js")
	add("/dashboard/dashboard.css", "dist/dashboard.css")
	entries, err := files.ReadDir("third_party")
	if err != nil {
		panic(fmt.Sprintf("reading embedded third_party: %v", err)) // as above
	}
	for _, e := range entries {
		add("/vendor/"+e.Name(), "third_party/"+e.Name())
	}
	addEngines(assets)
	referring("/player/player.js", "dist/player.js")
	referring("/player", "player/player.html")
	referring("/dashboard", "dashboard/dashboard.html")
	referring(networkPage, "dashboard/network.html")
	for path, policy := range map[string]string{"/player": playerPolicy, "/dashboard": dashboardPolicy, networkPage: dashboardPolicy} {
		page := assets[path]
		page.policy = policy
		assets[path] = page
	}
	return assets
}

func newAsset(name string, body []byte) asset {
	sum := sha256.Sum256(body)
	a := asset{body: body, contentType: contentType(name), hash: base64.RawURLEncoding.EncodeToString(sum[:12])}
	if c := compress(body); len(c) < len(body)*9/10 {
		a.compressed = c
	}
	return a
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(fmt.Sprintf("compressing: %v", err)) // cannot happen: the level is valid, and memory takes everything
	}
	return b.Bytes()
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

// dashboardPolicy lets the dashboard talk to its tracker alone.
const dashboardPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// playerPolicy allows the tracker's own scripts; hls.js runs a worker from a blob; streams, posters and trackers may be on
// any host. Handler adds which pages may show the player.
const playerPolicy = "default-src 'none'; script-src 'self'; worker-src blob:; style-src 'self'; img-src 'self' data: http: https:; " +
	"media-src blob: http: https:; connect-src 'self' http: https: ws: wss:; base-uri 'none'; form-action 'none'"

// host matches origins that a policy can name: what else is in a URL could end the directive.
var host = regexp.MustCompile(`^https?://[A-Za-z0-9._-]+(:[0-9]+)?$`)

// frameAncestors are the values of the directive (CSP level 3, §6.4.2).
func frameAncestors(origins []string) string {
	all := []string{"'self'"}
	for _, o := range origins {
		if o == "*" || host.MatchString(o) {
			all = append(all, o)
		}
	}
	return strings.Join(all, " ")
}
