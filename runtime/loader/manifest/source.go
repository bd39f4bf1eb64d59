package manifest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// SourceConfig says where a presentation comes from and what it may cost. Zero
// values get the defaults named at each field.
type SourceConfig struct {
	// URL of the manifest, http or https. Required.
	URL string
	// Headers are sent to the hosts of HeaderHosts only.
	Headers http.Header
	// HeaderHosts are host or host:port names that get Headers, beside the host
	// of URL. A redirect to any other host leaves them behind.
	HeaderHosts []string
	// Transport carries the requests; default: an own http.Transport.
	Transport http.RoundTripper
	// PlaylistTimeout bounds one playlist load, redirects and body included.
	// Default 10 s.
	PlaylistTimeout time.Duration
	// MaxPlaylistBytes bounds a playlist after decompression. Default 4 MiB.
	MaxPlaylistBytes int64
	// StallTimeout is how long a segment fetch may go without any byte.
	// Default 5 s.
	StallTimeout time.Duration
	// SegmentTimeout bounds one segment fetch. Default 2 min.
	SegmentTimeout time.Duration
	// MaxSegmentBytes bounds one segment. Default 64 MiB.
	MaxSegmentBytes int64
	// UserAgent is sent with every request. Default "p2pstream".
	UserAgent string
	// Logger gets one line for each change of state. Default: discarded.
	Logger *slog.Logger
	// Registerer gets the metrics. Default: a private registry.
	Registerer prometheus.Registerer
}

// Source loads one presentation from its origin. Its methods may be used by
// many goroutines.
type Source struct{ cfg SourceConfig }

// Pace says how eagerly Follow reloads a live playlist.
type Pace int

const (
	// Player reloads as RFC 8216 §6.3.4 asks players to.
	Player Pace = iota
	// Ahead reloads around the expected publication, to see a new segment
	// before any viewer does.
	Ahead
)

var errNotBuilt = errors.New("not built yet")

// NewSource checks the configuration and returns a source; nothing is fetched.
func NewSource(cfg SourceConfig) (*Source, error) { return &Source{cfg: cfg}, nil }

// Load fetches the manifest and returns its presentation. Errors are *Error.
func (s *Source) Load(ctx context.Context) (*Presentation, error) { return nil, errNotBuilt }

// LoadPlaylist fetches the media playlist of r once. Errors are *Error.
func (s *Source) LoadPlaylist(ctx context.Context, r Rendition) (*Playlist, error) {
	return nil, errNotBuilt
}

// Follow calls on for every new state of r's media playlist and for every
// failure (with a nil playlist and an *Error), from one goroutine. It goes on
// after failures and returns nil once the playlist has ended, or the context's
// error.
func (s *Source) Follow(ctx context.Context, r Rendition, pace Pace, on func(*Playlist, error)) error {
	return errNotBuilt
}

// FetchSegment opens seg from byte from on. total is the length of the whole
// segment in bytes, or −1 if the origin does not say. The reader fails with an
// *Error if fewer or more bytes come than announced. The caller closes it.
func (s *Source) FetchSegment(ctx context.Context, seg Segment, from int64) (body io.ReadCloser, total int64, err error) {
	return nil, 0, errNotBuilt
}

// FetchResource opens a resource that peers do not share, such as an
// initialization section, under the same checks.
func (s *Source) FetchResource(ctx context.Context, r Resource) (body io.ReadCloser, total int64, err error) {
	return nil, 0, errNotBuilt
}

// Close drops idle connections.
func (s *Source) Close() {}
