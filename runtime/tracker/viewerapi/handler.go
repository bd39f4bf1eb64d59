package viewerapi

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/prometheus/client_golang/prometheus"
)

// Dependencies are what the handler asks others. Swarms is required.
type Dependencies struct {
	Swarms    Swarms
	Facts     StreamFacts              // nil: nothing is known of the stream
	STUNReady func(server string) bool // nil: every configured STUN server is ready; must not block
	Now       func() time.Time         // nil: time.Now
	Random    io.Reader                // nil: crypto/rand
}

// Handler answers /v1/config, /v1/telemetry, /v1/stats, /player, /p2pstream.js and /vendor/. It is safe for concurrent
// use and starts no goroutine.
type Handler struct {
	cfg    Config
	deps   Dependencies
	log    *slog.Logger
	mux    *http.ServeMux
	signer *telemetry.Signer
	boot   string
	began  time.Time

	mu        sync.Mutex // guards the aggregate
	aggregate *telemetry.Aggregate
}

// New returns the handler; it reads randomness once, for the boot id and, unless configured, the session key.
func New(cfg Config, deps Dependencies, log *slog.Logger, reg prometheus.Registerer) (*Handler, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Random == nil {
		deps.Random = rand.Reader
	}
	var id [8]byte
	if _, err := io.ReadFull(deps.Random, id[:]); err != nil {
		return nil, fmt.Errorf("reading randomness for boot id: %w", err)
	}
	if len(cfg.SessionKey) == 0 {
		cfg.SessionKey = make([]byte, 32)
		if _, err := io.ReadFull(deps.Random, cfg.SessionKey); err != nil {
			return nil, fmt.Errorf("reading randomness for session key: %w", err)
		}
	}
	signer, err := telemetry.NewSigner(cfg.SessionKey, 0)
	if err != nil {
		return nil, err
	}
	began := deps.Now()
	h := &Handler{cfg: cfg, deps: deps, log: log, mux: http.NewServeMux(), signer: signer, boot: hex.EncodeToString(id[:]), began: began}
	h.aggregate = telemetry.NewAggregate(telemetry.Config{Interval: cfg.Interval, Window: cfg.Window,
		MaxSessions: cfg.MaxSessions, MaxBitsPerSecond: cfg.MaxBitsPerSecond}, began)
	return h, nil
}

// Boot returns the random id of this run of the tracker.
func (h *Handler) Boot() string { return h.boot }

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }
