package viewerapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/internal/dashboard"
	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/web"
)

// NetworkConfig configures the dashboard of all streams of a table.
type NetworkConfig struct {
	// AllowedOrigins and ExternalURL say which page is the tracker's own; see Config.
	AllowedOrigins []string
	ExternalURL    string
	// RequestsPerSecond and RequestBurst are those of one address, for all requests; see Config.
	RequestsPerSecond float64
	RequestBurst      int
	// Network is what is shown.
	Network *dashboard.Network
	// Seeder tells whether a token is that of seeders of all streams.
	Seeder func(token string) bool
	// Guarded tells whether a stream requires viewer tokens. Then all is shown to seeders alone, since sums tell of that stream too.
	Guarded func() bool
}

// Network serves the dashboard of all streams.
type Network struct {
	cfg      NetworkConfig
	origins  doors.Origins
	pages    map[string]http.HandlerFunc
	assets   http.Handler
	requests *prometheus.CounterVec
}

// NewNetwork returns one.
func NewNetwork(cfg NetworkConfig, reg prometheus.Registerer) (*Network, error) {
	n := &Network{cfg: cfg, origins: doors.NewOrigins(cfg.AllowedOrigins, cfg.ExternalURL), assets: web.NetworkHandler(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_tracker_dashboard_requests_total",
			Help: "Requests for the dashboard of all streams that were answered, by path and status."}, []string{"path", "status"})}
	for _, path := range []string{HistoryPath, HistoryCSVPath} {
		for _, status := range []int{http.StatusBadRequest, http.StatusTooManyRequests} {
			n.requests.WithLabelValues(path, strconv.Itoa(status))
		}
	}
	n.pages = n.answers().Handlers()
	return n, reg.Register(n.requests)
}

func (n *Network) answers() dashboard.Pages {
	return dashboard.Pages{Past: n.cfg.Network.Past, Now: n.cfg.Network.Encode, Clock: time.Now,
		Write: func(w http.ResponseWriter, path string, status int, mediaType string, body []byte) {
			w.Header().Set("Content-Type", mediaType)
			w.WriteHeader(status)
			_, _ = w.Write(body) // the peer may be gone; nothing is lost with it
			n.requests.WithLabelValues(path, strconv.Itoa(status)).Inc()
		}}
}

// Operator serves those who run the tracker, without a limit per address.
func (n *Network) Operator() http.Handler {
	mux := http.NewServeMux()
	for path, serve := range n.pages {
		mux.HandleFunc(path, serve)
	}
	for _, path := range web.DashboardPaths() {
		mux.Handle(path, n.assets)
	}
	return mux
}

// Public serves who reaches the tracker and may see all streams.
func (n *Network) Public() http.Handler {
	mux := http.NewServeMux()
	limit := newLimiter(n.cfg.RequestsPerSecond/historyShare, max(1, n.cfg.RequestBurst/historyShare))
	answers := n.answers()
	for path, serve := range n.pages {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if !limit.allow(addresses.From(r).Addr, time.Now()) {
				w.Header().Set("Retry-After", "1")
				answers.Fail(w, path, http.StatusTooManyRequests, "too many requests from this address")
				return
			}
			if why := n.guard(r); why != nil {
				if why.status == http.StatusUnauthorized {
					w.Header().Set("WWW-Authenticate", "Bearer")
				}
				answers.Fail(w, path, why.status, why.text)
				return
			}
			serve(w, r)
		})
	}
	scripts := newLimiter(assetRequests*n.cfg.RequestsPerSecond, assetRequests*n.cfg.RequestBurst)
	for _, path := range web.DashboardPaths() {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if !scripts.allow(addresses.From(r).Addr, time.Now()) {
				w.Header().Set("Retry-After", "1")
				answers.Fail(w, assetsLabel, http.StatusTooManyRequests, "too many requests from this address")
				return
			}
			n.assets.ServeHTTP(w, r)
		})
	}
	return mux
}

// guard returns why a request is refused, nil if it is not; see Handler.guardDashboard.
func (n *Network) guard(r *http.Request) *refusal {
	if token, ok := bearer(r); ok && n.cfg.Seeder(token) {
		return nil
	}
	if n.cfg.Guarded() { // who may not watch may not see who does
		return refusedNoToken
	}
	return foreign(n.origins, r)
}
