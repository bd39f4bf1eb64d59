package probe

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// Session is one view of the origin; *manifest.Source is one. Its methods are called by several goroutines.
type Session interface {
	Load(ctx context.Context) (*manifest.Presentation, error)
	LoadPlaylist(ctx context.Context, r manifest.Rendition) (*manifest.Playlist, error)
	FetchSegment(ctx context.Context, s manifest.Segment, from int64) (io.ReadCloser, int64, error)
	Close()
}

// confirmAfter is how long a difference between seeders and tracker must last: when an event begins anew under the same
// numbers, one of them sees it first.
const confirmAfter = 4 * time.Second

// Config configures a Prober. Zero values take the defaults in parentheses.
type Config struct {
	// Open returns a session of its own: without cookies that another one was given. Required.
	Open func() (Session, error)
	// Hashes returns what seeders say that a segment is; an empty list: nothing is known. The zero value says that they
	// do not agree. It must not block.
	Hashes func(r manifest.Rendition, s manifest.Segment) []integrity.Hash
	// Interval is the time between two looks (3 min); after one that failed it is RetryInterval (15 s).
	Interval, RetryInterval time.Duration
	// Timeout bounds one look (20 s).
	Timeout time.Duration
	// MaxRenditions is how many renditions are looked at (64), MaxBytes how many bytes of segments one look fetches
	// (96 MiB), MaxSegmentBytes how much of one segment is compared (16 MiB). One look may exceed MaxBytes by the segments
	// that are being fetched.
	MaxRenditions             int
	MaxBytes, MaxSegmentBytes int64
	Registerer                prometheus.Registerer
}

// Defaults of Config.
const (
	defaultInterval        = 3 * time.Minute
	defaultRetryInterval   = 15 * time.Second
	defaultTimeout         = 20 * time.Second
	defaultMaxRenditions   = 64
	defaultMaxBytes        = 96 << 20
	defaultMaxSegmentBytes = 16 << 20
)

// Prober looks at one stream, one look at a time.
type Prober struct {
	cfg     Config
	metrics *metrics
	memory  memory
}

// New returns a prober; nothing is fetched.
func New(cfg Config) (*Prober, error) {
	cfg.Interval = cmp.Or(cfg.Interval, defaultInterval)
	cfg.RetryInterval = cmp.Or(cfg.RetryInterval, defaultRetryInterval)
	cfg.Timeout = cmp.Or(cfg.Timeout, defaultTimeout)
	cfg.MaxRenditions = cmp.Or(cfg.MaxRenditions, defaultMaxRenditions)
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, defaultMaxBytes)
	cfg.MaxSegmentBytes = cmp.Or(cfg.MaxSegmentBytes, defaultMaxSegmentBytes)
	m, err := newMetrics(cfg.Registerer)
	if err != nil {
		return nil, err
	}
	return &Prober{cfg: cfg, metrics: m}, nil
}

// Forget drops what earlier looks found, because a new event began. It is called between looks.
func (p *Prober) Forget() { p.memory = memory{} }

// Look reads the stream once and returns the evidence of this and of earlier looks, and when to look again.
func (p *Prober) Look(ctx context.Context) (e manifest.Evidence, again time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	defer func() {
		result := "ok"
		if again = spread(p.cfg.Interval); err != nil {
			again, result = spread(p.cfg.RetryInterval), "failed"
		}
		p.metrics.looks.WithLabelValues(result).Inc()
	}()
	l := &look{Prober: p, results: map[request]*result{}}
	for i := range l.sessions {
		if l.sessions[i], err = p.cfg.Open(); err != nil {
			return e, 0, fmt.Errorf("opening session: %w", err)
		}
		defer l.sessions[i].Close()
	}
	if err := l.read(ctx); err != nil {
		return e, 0, fmt.Errorf("looking at the stream: %w", err)
	}
	l.fetch(ctx)
	e = l.evidence(ctx)
	p.memory.keep(&e, time.Now())
	return e, 0, nil
}

// spread draws between three quarters of d and d, so that replicas of a tracker do not look together.
func spread(d time.Duration) time.Duration {
	return d - rand.N(d/4+1) //nolint:gosec // spreading load needs no secrecy
}
