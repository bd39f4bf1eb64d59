package manifest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/internal/originhttp"
	"github.com/p2pstream/p2pstream/internal/validate"
)

// SourceConfig says where a presentation comes from and what it may cost. Zero
// values get the defaults named at each field.
type SourceConfig struct {
	// URL of the manifest, http or https. Required.
	URL string
	// Format is FormatHLS, FormatDASH or FormatAuto. Default FormatAuto.
	Format string
	// Headers go to the scheme, host and port of URL, and nowhere else: neither
	// to another host that a playlist names nor along with a redirect to one.
	Headers http.Header
	// HeadersDir holds further ones, a file each: its name is the header's, its
	// content the value. CAFile is a PEM file of the certificate authorities
	// that are trusted instead of the system's. Both are read again when they
	// change, and while they cannot be used no request is made.
	HeadersDir, CAFile string
	// Transport carries the requests; default: an own http.Transport. It must
	// not follow redirects. CAFile is ignored if it is set.
	Transport http.RoundTripper
	// PlaylistTimeout bounds one playlist load, redirects and body included.
	// Default 10 s.
	PlaylistTimeout time.Duration
	// MaxPlaylistBytes bounds a playlist after decompression. A media playlist may
	// have 16 times as much, of which the newest part is kept. Default 4 MiB.
	MaxPlaylistBytes int64
	// SignedPaths are starts of URL paths in which an asterisk stands for one
	// element that a signature changes, such as /token/*/: segments whose URLs
	// differ there only are the same. A query is known for one without this. At
	// most 16.
	SignedPaths []string
	// StallTimeout is how long a segment fetch may go without any byte.
	// Default 5 s.
	StallTimeout time.Duration
	// SegmentTimeout bounds one segment fetch. Default 2 min.
	SegmentTimeout time.Duration
	// MaxSegmentBytes bounds one segment. Default 64 MiB.
	MaxSegmentBytes int64
	// SecondLook takes a body that only the end of the connection ends when a
	// second one has the same size, also without TLS: a program that crashes
	// closes its connections, too. Seeders set it, since they pass on what they
	// get.
	SecondLook bool
	// Refuse says to which addresses no connection is made; nil: to none.
	Refuse func(netip.AddrPort) bool
	// UserAgent is sent with every request. Default "p2pstream".
	UserAgent string
	// Logger gets one line for each change of state. Default: discarded.
	Logger *slog.Logger
	// Registerer gets the metrics. Default: a private registry.
	Registerer prometheus.Registerer
}

const (
	defaultPlaylistTimeout = 10 * time.Second
	defaultStallTimeout    = 5 * time.Second
	defaultSegmentTimeout  = 2 * time.Minute
	defaultMaxPlaylist     = 4 << 20
	defaultMaxSegment      = 64 << 20
)

func (c SourceConfig) withDefaults() SourceConfig {
	setDuration := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	setDuration(&c.PlaylistTimeout, defaultPlaylistTimeout)
	setDuration(&c.StallTimeout, defaultStallTimeout)
	setDuration(&c.SegmentTimeout, defaultSegmentTimeout)
	if c.MaxPlaylistBytes <= 0 {
		c.MaxPlaylistBytes = defaultMaxPlaylist
	}
	if c.MaxSegmentBytes <= 0 {
		c.MaxSegmentBytes = defaultMaxSegment
	}
	if c.UserAgent == "" {
		c.UserAgent = "p2pstream"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Source loads one presentation from its origin. Its methods may be used by
// many goroutines.
type Source struct {
	cfg       SourceConfig
	url       string // as a browser prints it
	transport *originhttp.Transport
	metrics   *metrics
	renewals  *renewals
	parsing   sync.Mutex
	catalog   catalog
	detours   detours
	mpd       mpdState
}

// NewSource checks the configuration and returns a source; nothing is fetched.
func NewSource(cfg SourceConfig) (*Source, error) {
	cfg = cfg.withDefaults()
	from, err := browserURL(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("config.url: %q: %w; use https://host/path/master.m3u8", withoutSecrets(cfg.URL), err)
	}
	if err := validate.SignedPaths("config.signedPaths", cfg.SignedPaths); err != nil {
		return nil, err
	}
	if err := validate.Format("config.format", cfg.Format); err != nil {
		return nil, err
	}
	s := &Source{cfg: cfg, url: from}
	if s.transport, err = originhttp.New(originhttp.Config{
		URL: from, Headers: cfg.Headers, HeadersDir: cfg.HeadersDir, CAFile: cfg.CAFile, Refuse: cfg.Refuse, Base: cfg.Transport, Logger: cfg.Logger,
	}); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(cfg.Registerer); err != nil {
		return nil, err
	}
	if s.renewals, err = newRenewals(cfg.Registerer); err != nil {
		return nil, err
	}
	s.catalog.loading, s.mpd.asking = make(chan struct{}, 1), make(chan struct{}, 1)
	return s, nil
}

// Close drops idle connections. Requests that run are not touched; their
// contexts end them.
func (s *Source) Close() { s.transport.CloseIdleConnections() }

// URL is the manifest's, as a browser prints it that asks for it.
func (s *Source) URL() string { return s.url }

const maxRedirects = 5

// get sends one GET and follows redirects by hand, so that the final URL is the
// one a browser would report; the transport adds headers for the origin's own.
// prepare adds headers of the one request. The caller closes the body.
func (s *Source) get(ctx context.Context, rawURL string, prepare func(http.Header)) (*http.Response, string, error) {
	at, err := browserURL(rawURL)
	if err != nil {
		return nil, "", fail(ReasonScheme, rawURL, err)
	}
	for range maxRedirects + 1 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
		if err != nil {
			return nil, "", fail(ReasonScheme, at, errURL)
		}
		request.Header.Set("User-Agent", s.cfg.UserAgent)
		if user := request.URL.User; user != nil {
			password, _ := user.Password()
			request.SetBasicAuth(user.Username(), password)
		}
		prepare(request.Header)
		response, err := s.transport.RoundTrip(request)
		if err != nil {
			return nil, "", s.transportError(ctx, at, err)
		}
		if !isRedirect(response.StatusCode) || response.Header.Get("Location") == "" {
			return response, at, nil
		}
		location := response.Header.Get("Location")
		_ = response.Body.Close() // nothing in it is of use
		next, err := browserResolve(at, location)
		if err == nil && len(next) > maxURLBytes {
			return nil, "", fail(ReasonTooLarge, at, fmt.Errorf("a redirect to a URL of %d bytes", len(next)))
		}
		if err != nil {
			return nil, "", fail(ReasonScheme, location, fmt.Errorf("following redirect from %s: %w", withoutSecrets(at), err))
		}
		at = next
	}
	return nil, "", fail(ReasonRedirect, rawURL, fmt.Errorf("more than %d redirects", maxRedirects))
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

var (
	errStalled = errors.New("no byte arrived in time")
	errTooSlow = errors.New("the transfer took too long")
	errClosed  = errors.New("the body was closed")
)

// transportError turns a failure of the transport or of a body into an *Error.
// The context's cause tells our own timeouts from the caller giving up.
func (s *Source) transportError(ctx context.Context, at string, err error) *Error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStalled):
		return fail(ReasonStalled, at, cause)
	case errors.Is(cause, errTooSlow):
		return fail(ReasonTimeout, at, cause)
	case cause != nil && errors.Is(cause, context.DeadlineExceeded):
		return fail(ReasonTimeout, at, cause)
	case cause != nil:
		return fail(ReasonCanceled, at, cause)
	}
	var files *originhttp.FilesError
	if errors.As(err, &files) {
		return fail(ReasonFiles, at, files)
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fail(ReasonTimeout, at, hideURL(err))
	}
	return fail(ReasonUnreachable, at, hideURL(err))
}

// hideURL keeps a URL with its query out of the text of a *url.Error.
func hideURL(err error) error {
	var wrapped interface{ Unwrap() error }
	if errors.As(err, &wrapped) && strings.Contains(err.Error(), "?") {
		return wrapped.Unwrap()
	}
	return err
}
