// Package originhttp owns the HTTP transport for requests to an origin, with its
// certificate authorities and headers. Headers and authorities are read from
// files, again when those change. The headers are sent only to the scheme, host
// and port of the origin's URL, even if a playlist or a redirect leads elsewhere.
// Their values are in no error and no log line. Cookies that the origin's host
// sets are kept and sent as browsers do, and a host that answers 429 with
// Retry-After gets no request until then.
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
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/internal/watch"
)

// errRefused is the error of a connection to an address that Config.Refuse refuses.
var errRefused = errors.New("no origin may be at this address")

// lookEvery is how old the last check of the files may be when a request is sent.
const lookEvery = time.Second

// maxCABytes bounds a file of certificate authorities; a system's has about 250 kB.
const maxCABytes = 4 << 20

// Config configures a Transport.
type Config struct {
	// URL is the origin's: headers are sent to its scheme, host and port only.
	URL string
	// HeadersDir holds one file for each header, which is named like the header and contains the value.
	HeadersDir string
	// Headers are sent too; a file in HeadersDir overrides the header of the same name.
	Headers http.Header
	// CAFile is a PEM file of the certificate authorities that are trusted instead of the system's.
	CAFile string
	// Refuse says to which addresses no connection is made, also when a redirect or a playlist leads there; nil: to none. Those of a
	// proxy from the environment are asked for, and not those behind it.
	Refuse func(netip.AddrPort) bool
	// Base is used instead of a new http.Transport; CAFile is ignored then.
	Base http.RoundTripper
	// Logger gets one line for each change of the files. Default: discarded.
	Logger *slog.Logger
}

// FilesError is the error of a request that was not sent because a file of headers or authorities cannot be used.
type FilesError struct{ Err error }

// Error names the file, and never contains its content.
func (e *FilesError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *FilesError) Unwrap() error { return e.Err }

// Transport is an http.RoundTripper for an origin. It is safe for concurrent use.
type Transport struct {
	origin  string
	static  http.Header
	headers *watch.Value[http.Header]    // nil without a directory
	roots   *watch.Value[*x509.CertPool] // nil: the system's
	base    http.RoundTripper            // nil: own
	refuse  func(netip.AddrPort) bool
	cookies *cookies
	holds   holds
	sizes   sizes

	mu      sync.Mutex
	own     *http.Transport
	trusted *x509.CertPool // by own
}

// New returns a transport; it reads the files and sends no request. Unusable files are not an error here, but of every
// request that needs them, until the files change: peers that hold a stream can serve it while its origin cannot be read.
func New(cfg Config) (*Transport, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("config.url: is not an http or https URL; use https://host/path")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	t := &Transport{origin: originOf(u), static: cfg.Headers, base: cfg.Base, refuse: cfg.Refuse, cookies: newCookies(strings.ToLower(u.Hostname()))}
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

// RoundTrip implements http.RoundTripper. Its own errors are *FilesError and *HeldError.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	to := originOf(r.URL)
	carrier, err := t.carrier(r.URL)
	if wait := t.holds.wait(to, time.Now()); err == nil && wait > 0 {
		err = &HeldError{Wait: wait}
	}
	if err == nil && to == t.origin {
		r, err = t.withHeaders(r)
	}
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // http.RoundTripper requires it
		}
		return nil, err
	}
	response, err := carrier.RoundTrip(t.cookies.add(r))
	if err != nil {
		return nil, err
	}
	t.cookies.take(response, r.URL)
	t.holds.take(to, response, time.Now())
	return response, nil
}

// withHeaders returns a copy of a request to the origin with the configured headers.
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

// carrier returns the transport for a request, a new one when the trusted authorities have changed.
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
			t.own.CloseIdleConnections() // they were verified with the previous authorities
		}
		t.own, t.trusted = newTransport(pool, t.refuse), pool
	}
	return t.own, nil
}

func newTransport(pool *x509.CertPool, refuse func(netip.AddrPort) bool) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	if refuse != nil {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { // of what a name has become
			to, err := netip.ParseAddrPort(address)
			if err != nil || refuse(netip.AddrPortFrom(to.Addr().Unmap(), to.Port())) {
				return errRefused
			}
			return nil
		}
	}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            notingEnds(dialer.DialContext),
		TLSClientConfig:        &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    5 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// CloseIdleConnections closes idle connections; the transport remains usable.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.own != nil {
		t.own.CloseIdleConnections()
	}
}

// originOf returns scheme, host and port of a URL in a canonical form.
func originOf(u *url.URL) string {
	scheme := strings.ToLower(u.Scheme)
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
