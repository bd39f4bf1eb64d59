package seeder

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

func selector(names []string) func([]manifest.Rendition) []manifest.Rendition {
	if len(names) == 0 {
		return nil
	}
	return func(all []manifest.Rendition) []manifest.Rendition {
		var out []manifest.Rendition
		for _, r := range all {
			if slices.Contains(names, r.Name) {
				out = append(out, r)
			}
		}
		return out
	}
}

// withSession adds the session to tracker URLs: our tracker finds the socket that a
// report of load is about by it; other trackers ignore it. An edge seeder adds its site.
func withSession(trackers []string, session, site string) []string {
	out := make([]string, 0, len(trackers))
	for _, t := range trackers {
		if u, err := url.Parse(t); err == nil {
			q := u.Query()
			q.Set("session", session)
			if site != "" {
				q.Set("site", site)
			}
			u.RawQuery = q.Encode()
			t = u.String()
		}
		out = append(out, t)
	}
	return out
}

// sessionID is unique to this run, and shows which of a stream's seeders it is.
func sessionID(ordinal int) string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return fmt.Sprintf("seeder-%d-%s", ordinal, hex.EncodeToString(b[:]))
}
