package pki

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestIssue serves https with an issued certificate: clients that trust the authority connect, by every
// name that was certified, and others do not.
func TestIssue(t *testing.T) {
	t.Parallel()
	a, err := New("test")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := a.Issue("127.0.0.1", "tracker.example.com")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)

	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.PEM) {
		t.Fatal("the authority's certificate is no PEM")
	}
	for _, name := range []string{"", "tracker.example.com"} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name}}}
		resp, err := client.Get(s.URL)
		if err != nil {
			t.Errorf("as %q: %v", name, err)
			continue
		}
		_ = resp.Body.Close()
	}
	if resp, err := http.Get(s.URL); err == nil {
		_ = resp.Body.Close()
		t.Error("a client that knows no authority got through")
	}
}
