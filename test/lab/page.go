package lab

import "net/http"

// AsPage returns a transport that sends the Origin of a page of the server itself, as browsers do, with each request whose
// header has no entry for it. A nil entry sends none.
func AsPage(through http.RoundTripper) http.RoundTripper { return page{through} }

type page struct{ through http.RoundTripper }

// RoundTrip sends one request.
func (p page) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, given := r.Header["Origin"]; !given {
		r = r.Clone(r.Context())
		r.Header.Set("Origin", r.URL.Scheme+"://"+r.URL.Host)
	}
	return p.through.RoundTrip(r)
}
