// Package originhttp owns how an origin is asked: over which transport, trusting
// which certificate authorities, and with which headers. Headers and authorities
// come from files, are read again when those change, and concern one origin:
// the headers go to the scheme, host and port of its URL and nowhere else,
// whatever a playlist names or a redirect leads to. Their values are in no
// error and no log line.
package originhttp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/internal/watch"
)

// lookEvery is how old what is known of the files may be when a request goes out.
const lookEvery = time.Second

// maxCABytes bounds a file of certificate authorities; the system's have 250 kB.
const maxCABytes = 4 << 20

// Config says how an origin is asked.
type Config struct {
	// URL names the origin: its scheme, host and port are where headers go.
	URL string
	// HeadersDir holds one file for each header: its name is the header's, its content the value.
	HeadersDir string
	// Headers are sent too; a file of the same name wins.
	Headers http.Header
	// CAFile is a PEM file of the certificate authorities that are trusted instead of the system's.
	CAFile string
	// Base carries the requests instead of a transport of our own; CAFile means nothing then.
	Base http.RoundTripper
	// Logger gets one line for each change of the files. Default: discarded.
	Logger *slog.Logger
}

// FilesError says that a file of headers or of authorities cannot be used, so that no request is made.
type FilesError struct{ Err error }

// Error says which file, and never what it holds.
func (e *FilesError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *FilesError) Unwrap() error { return e.Err }

// Transport carries requests; it follows no redirect. Its methods may be used by many goroutines.
type Transport struct {
	origin  string
	static  http.Header
	headers *watch.Value[http.Header]    // nil without a directory
	roots   *watch.Value[*x509.CertPool] // nil: the system's
	base    http.RoundTripper            // nil: own

	mu      sync.Mutex
	own     *http.Transport
	trusted *x509.CertPool // by own
}

// New returns a transport; it reads the files once and asks nobody. Files that cannot be used are no error here but one
// of every request that needs them, until they can: a stream whose origin is away is served by those who hold it.
func New(cfg Config) (*Transport, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("config.url: is not an http or https URL")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	t := &Transport{origin: originOf(u), static: cfg.Headers, base: cfg.Base}
	if cfg.HeadersDir != "" {
		t.headers = watch.New("headers of the origin", cfg.Logger,
			func() (http.Header, error) { return readHeaders(cfg.HeadersDir) }, cfg.HeadersDir)
	}
	if cfg.CAFile != "" {
		t.roots = watch.New("certificate authorities of the origin", cfg.Logger,
			func() (*x509.CertPool, error) { return readRoots(cfg.CAFile) }, cfg.CAFile)
	}
	return t, nil
}

// readRoots reads a PEM file of certificates.
func readRoots(file string) (*x509.CertPool, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, maxCABytes))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return pool, nil
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	carrier, err := t.carrier(r.URL)
	if err == nil && originOf(r.URL) == t.origin {
		r, err = t.withHeaders(r)
	}
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // RoundTrip owes it; nothing was sent
		}
		return nil, err
	}
	return carrier.RoundTrip(r)
}

// withHeaders returns a copy of a request to the origin with the headers that are for it alone.
func (t *Transport) withHeaders(r *http.Request) (*http.Request, error) {
	var files http.Header
	if t.headers != nil {
		var err error
		if files, err = t.headers.Recent(lookEvery); err != nil {
			return r, &FilesError{err}
		}
	}
	if len(files)+len(t.static) == 0 {
		return r, nil
	}
	out := r.Clone(r.Context())
	for _, from := range []http.Header{t.static, files} {
		for name, values := range from {
			if name = http.CanonicalHeaderKey(name); reserved[name] {
				continue
			}
			out.Header[name] = values
			if name == "Host" && len(values) > 0 {
				out.Host = values[0]
			}
		}
	}
	return out, nil
}

// carrier is what carries a request to a URL: anew when other authorities are trusted than before.
func (t *Transport) carrier(u *url.URL) (http.RoundTripper, error) {
	if t.base != nil {
		return t.base, nil
	}
	var pool *x509.CertPool
	if t.roots != nil {
		var err error
		if pool, err = t.roots.Recent(lookEvery); err != nil && u.Scheme == "https" {
			return nil, &FilesError{err}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.own == nil || t.trusted != pool {
		if t.own != nil {
			t.own.CloseIdleConnections() // they were made with the trust of before
		}
		t.own, t.trusted = newTransport(pool), pool
	}
	return t.own, nil
}

func newTransport(pool *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    5 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// CloseIdleConnections drops connections that carry nothing; the transport can be used on.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.own != nil {
		t.own.CloseIdleConnections()
	}
}

// originOf is scheme, host and port of a URL, one text for every spelling of them.
func originOf(u *url.URL) string {
	scheme := strings.ToLower(u.Scheme)
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
