package tracker

import (
	"net/http"
	"strings"
)

// withoutBase takes what an entrance has led requests here by from the start of their paths. Requests without it are passed on
// as they are.
func withoutBase(base string, next http.Handler) http.Handler {
	if base == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, has := strings.CutPrefix(r.URL.Path, base); has && strings.HasPrefix(rest, "/") {
			out, u := *r, *r.URL
			u.Path, u.RawPath = rest, ""
			out.URL = &u
			r = &out
		}
		next.ServeHTTP(w, r)
	})
}
