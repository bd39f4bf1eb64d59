package viewerapi

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"golang.org/x/time/rate"

	"github.com/p2pstream/p2pstream/internal/dashboard"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
	"github.com/p2pstream/p2pstream/web"
)

// Dependencies are what the handler needs from the rest of the tracker. Swarms is required.
type Dependencies struct {
	Swarms    Swarms
	Facts     StreamFacts              // nil: nothing is known about the stream
	STUNReady func(server string) bool // nil: every configured STUN server is ready; must not block
	// STUNGiven tells whether viewers are given a server; nil: those that are ready. It must not block.
	STUNGiven func(server string) bool
	// STUN returns the current STUN servers, if they may change; nil: Config.STUN.
	STUN func() []string
	// Sites returns the map of sites, nil if there is none; nil: there is none.
	Sites func() *sites.Map
	// SiteMap describes it for /v1/stats; nil: it is not described.
	SiteMap func() *stats.SiteMap
	// SiteViewers returns the viewer sockets of each site; nil: they are not known by site.
	SiteViewers func() map[string]int
	// LocalAddresses says how viewers give their own addresses, for /v1/stats; nil: it does not say so.
	LocalAddresses func() *stats.LocalAddresses
	// Draining reports whether this tracker is shutting down; nil: it never is.
	Draining func() bool
	// SeederToken returns the current token, if it may change; nil: Config.SeederToken.
	SeederToken func() string
	// Seeders returns who is a seeder; nil: who holds the token of SeederToken.
	Seeders func() doors.Seeders
	// Keys returns the keys of tickets, which replicas share; nil: Config.SessionKey. It must not block.
	Keys func() *tickets.Ring
	// HasSocket reports whether a session has a WebSocket here, or had one until a moment ago; nil: it always has.
	HasSocket func(session string) bool
	// Token checks a viewer's token; nil: none is required. The error says what is wrong with the token.
	Token func(token string, now time.Time) error
	// Mesh returns who is connected to whom, for the dashboard; nil: it is not known.
	Mesh func() stats.Mesh
	// OnViewer is called with a viewer's session and the bytes that it uploaded to peers since its report before; must not
	// block; nil: not.
	OnViewer func(session string, uploaded int64)
	// Join checks the credential of an edge seeder that has no token; nil: none is accepted.
	Join func(credential string) (joins.Credential, error)
	// OnSeeder is called with a seeder's report id and state for each of its reports; must not block.
	OnSeeder func(id string, state telemetry.SeederState)
	// OnHashes is called when seeders begin to tell the hashes of a swarm, or disagree; must not block.
	OnHashes func()
	Now      func() time.Time // nil: time.Now
	Random   io.Reader        // nil: crypto/rand
}

// Handler answers /v1/config, /v1/telemetry, /v1/stats, /v1/policies, /v1/hashes, /player, the scripts and /vendor/, and if so
// configured /dashboard and /v1/history; see Paths.
// It is safe for concurrent use and starts no goroutine.
type Handler struct {
	cfg     Config
	deps    Dependencies
	log     *slog.Logger
	mux     *http.ServeMux
	origins doors.Origins
	boot    string
	began   time.Time
	limiter *limiter
	// joins are the requests of pages that join. They have a budget of their own, as reports have, so that neither
	// those of one address nor all reports together can use up theirs.
	joins, reports *limiter
	allReports     *rate.Limiter
	metrics        *metrics
	// elsewhere limits the log lines about seeders in other swarms.
	elsewhere seldom
	hashes    *hashes
	past      *dashboard.Past
	mesh      keptMesh

	mu        sync.Mutex // guards what follows
	aggregate *telemetry.Aggregate
	named     bool       // whether the aggregate knows the names of renditions,
	namesOf   *Rendition // and the first of those that they are from; nil: there are none
	holding   holding    // cached briefly, like the stats, because clients may request it as often as the limiter allows
	stats     encodedStats
	statsAt   time.Time
}

// cacheTime bounds how often the sums are computed again.
const cacheTime = 250 * time.Millisecond

// New returns the handler; it reads randomness once, for the boot id and, unless configured, the session key.
func New(cfg Config, deps Dependencies, log *slog.Logger, reg prometheus.Registerer) (*Handler, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.SeederToken == nil {
		token := cfg.SeederToken
		deps.SeederToken = func() string { return token }
	}
	if deps.Random == nil {
		deps.Random = rand.Reader
	}
	boot := make([]byte, 8)
	if _, err := io.ReadFull(deps.Random, boot); err != nil {
		return nil, fmt.Errorf("reading randomness for boot id: %w", err)
	}
	if len(cfg.SessionKey) == 0 {
		cfg.SessionKey = make([]byte, 32)
		if _, err := io.ReadFull(deps.Random, cfg.SessionKey); err != nil {
			return nil, fmt.Errorf("reading randomness for session key: %w", err)
		}
	}
	if deps.Keys == nil {
		ring, err := tickets.NewRing(cfg.SessionKey)
		if err != nil {
			return nil, err
		}
		deps.Keys = func() *tickets.Ring { return ring }
	}
	newLimits := func() *limiter { return newLimiter(cfg.RequestsPerSecond, cfg.RequestBurst) }
	h := &Handler{cfg: cfg, deps: deps, log: log, boot: hex.EncodeToString(boot), began: deps.Now(),
		origins: doors.NewOrigins(cfg.AllowedOrigins, cfg.ExternalURL), limiter: newLimits(), joins: newLimits(), reports: newLimits(),
		allReports: rate.NewLimiter(rate.Limit(cfg.ReportsPerSecond), 2*cfg.ReportsPerSecond), mux: http.NewServeMux()}
	h.aggregate = telemetry.NewAggregate(telemetry.Config{Interval: cfg.Interval, Window: cfg.Window, Lifetime: cfg.TicketLifetime,
		MaxSessions: cfg.MaxSessions, MaxBitsPerSecond: cfg.MaxBitsPerSecond, OnlyRead: cfg.TotalsKept, Boot: h.boot}, h.began)
	h.past = dashboard.NewPast()
	var err error
	if h.metrics, err = newMetrics(reg, h); err != nil {
		return nil, err
	}
	if h.hashes, err = newHashes(cfg, h.hashKey, reg); err != nil {
		return nil, err
	}
	// The tracker's own pages ask with POST: browsers send an Origin with it, also to the host of the page.
	h.route(h.joins, configPath, map[string]http.HandlerFunc{http.MethodGet: h.serveConfig, http.MethodPost: h.serveConfig})
	h.route(h.limiter, stats.Path, map[string]http.HandlerFunc{http.MethodGet: h.serveStats, http.MethodPost: h.serveStats})
	h.route(h.limiter, PoliciesPath, map[string]http.HandlerFunc{http.MethodGet: h.servePolicies})
	h.route(h.reports, telemetryPath, map[string]http.HandlerFunc{http.MethodPost: h.serveTelemetry})
	h.route(h.hashes.limiter, HashesPath, map[string]http.HandlerFunc{http.MethodGet: h.serveHashes, http.MethodPost: h.takeHashes})
	assets := h.limitAssets(web.Handler(h.embedders()...))
	for _, path := range web.Paths() {
		h.mux.Handle(path, assets)
	}
	if cfg.Dashboard {
		h.mountDashboard(assets)
	}
	return h, nil
}

// Paths lists the patterns, as http.ServeMux reads them, that a tracker mounts the handler under.
func Paths() []string {
	return slices.Concat([]string{"/v1/"}, web.Paths(), web.DashboardPaths())
}

// Boot returns the random id of this run of the tracker.
func (h *Handler) Boot() string { return h.boot }

// Stream returns what tickets are issued for.
func (h *Handler) Stream() string { return h.cfg.Stream }

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// Paths of the API.
const (
	configPath    = "/v1/config"
	telemetryPath = "/v1/telemetry"
)

// route mounts one path of the API: method, origin, a limit per address, and a credential come before the handler.
func (h *Handler) route(l *limiter, path string, methods map[string]http.HandlerFunc) {
	h.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		allowed := h.allowOrigin(w, r)
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet // net/http drops the body
		}
		serve := methods[method]
		switch {
		case r.Method == http.MethodOptions:
			h.preflight(w, allowed, methods)
		case serve == nil:
			header.Set("Allow", allow(methods))
			h.fail(w, path, http.StatusMethodNotAllowed, "", "method not allowed; use "+allow(methods))
		case !allowed:
			h.shut(w, path, refusedOrigin)
		case !l.allow(h.client(r), h.deps.Now()):
			header.Set("Retry-After", "1")
			if path == telemetryPath {
				h.refuse(telemetry.TooOften)
			}
			h.fail(w, path, http.StatusTooManyRequests, telemetry.TooOften, "too many requests from this address")
		default:
			if refusal := h.guard(path, r); refusal != nil {
				h.shut(w, path, refusal)
				return
			}
			serve(w, r)
		}
	})
}

// answer is the body of an error.
type answer struct {
	Error  string           `json:"error"`
	Reason telemetry.Reason `json:"reason,omitempty"`
}

func (h *Handler) fail(w http.ResponseWriter, path string, status int, reason telemetry.Reason, text string) {
	h.reply(w, path, status, answer{Error: text, Reason: reason})
}

func (h *Handler) reply(w http.ResponseWriter, path string, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil { // cannot happen: body is one of this package's types
		h.log.Error("encoding answer", "path", path, "error", err)
		status, b = http.StatusInternalServerError, []byte(`{"error":"internal"}`)
	}
	h.write(w, path, status, b)
}

func (h *Handler) write(w http.ResponseWriter, path string, status int, body []byte) {
	h.writeAs(w, path, status, "application/json", body)
}

func (h *Handler) writeAs(w http.ResponseWriter, path string, status int, mediaType string, body []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the peer may be gone; nothing is lost with it
	h.metrics.requests.WithLabelValues(path, fmt.Sprint(status)).Inc()
}
