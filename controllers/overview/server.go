package overview

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	certutil "k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/internal/dashboard"
	"github.com/p2pstream/p2pstream/web"
)

// Limits of a request and of connections.
const (
	headerTimeout = 5 * time.Second
	answerTimeout = 30 * time.Second
	keepTimeout   = time.Minute
	headerBytes   = 32 << 10 // a token of a cluster has some kilobytes
	endTimeout    = 2 * time.Second
)

// Metrics of the dashboard.
type Metrics struct {
	requests *prometheus.CounterVec
	reviews  *prometheus.CounterVec
}

// NewMetrics makes and registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_operator_dashboard_requests_total",
			Help: "Requests for figures of the operator's dashboard, by status."}, []string{"status"}),
		reviews: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_operator_dashboard_reviews_total",
			Help: "Questions to the API server about tokens of the operator's dashboard, by result; limited ones were not asked."}, []string{"result"}),
	}
	for _, result := range []string{"allowed", "refused", "error", "limited"} {
		m.reviews.WithLabelValues(result)
	}
	for _, status := range []int{http.StatusOK, http.StatusUnauthorized, http.StatusForbidden} {
		m.requests.WithLabelValues(strconv.Itoa(status))
	}
	reg.MustRegister(m.requests, m.reviews)
	return m
}

// ServerConfig configures a Server.
type ServerConfig struct {
	// Listen is host:port.
	Listen string
	// CertDir has tls.crt and tls.key, which are read again when they change; empty: the certificate is made at the start, and no
	// authority signs it.
	CertDir string
	Board   *Board
	// API is asked about tokens.
	API     client.Client
	Metrics *Metrics
	Log     *slog.Logger
}

// Server serves the dashboard over HTTPS.
type Server struct {
	cfg   ServerConfig
	ready chan struct{}
	addr  net.Addr
}

// NewServer returns a server, which does not listen yet.
func NewServer(cfg ServerConfig) *Server { return &Server{cfg: cfg, ready: make(chan struct{})} }

// NeedLeaderElection implements manager.LeaderElectionRunnable: replicas that wait answer too, and say that they wait.
func (s *Server) NeedLeaderElection() bool { return false }

// Addr returns where it listens, once it does.
func (s *Server) Addr() net.Addr {
	<-s.ready
	return s.addr
}

// Handler serves the page to everyone, since it has no figures, and figures to those who may get them.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	assets := web.NetworkHandler()
	for _, path := range web.DashboardPaths() {
		mux.Handle(path, assets)
	}
	mux.Handle("GET /{$}", http.RedirectHandler("dashboard", http.StatusFound))
	pages := dashboard.Pages{Past: s.cfg.Board.network.Past, Now: s.cfg.Board.network.Encode, Clock: s.cfg.Board.now,
		Write: func(w http.ResponseWriter, _ string, status int, mediaType string, body []byte) {
			w.Header().Set("Content-Type", mediaType)
			w.WriteHeader(status)
			_, _ = w.Write(body) // the client may be gone
			s.cfg.Metrics.requests.WithLabelValues(strconv.Itoa(status)).Inc()
		}}
	guard := newGuard(s.cfg.API, s.cfg.Board.now, func(result string) { s.cfg.Metrics.reviews.WithLabelValues(result).Inc() },
		func(err error) {
			s.cfg.Log.Error("the API server cannot be asked about a token of the dashboard", "error", err)
		})
	for path, serve := range pages.Handlers() {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			v := guard.of(r, path)
			switch {
			case v != allowed:
				if v.status == http.StatusUnauthorized {
					w.Header().Set("WWW-Authenticate", bearerScheme)
				}
				pages.Fail(w, path, v.status, v.text)
			case !s.cfg.Board.leads.Load():
				pages.Fail(w, path, http.StatusServiceUnavailable, "another replica of the operator holds the Lease and has the figures")
			default:
				serve(w, r)
			}
		})
	}
	return mux
}

// certificate returns what makes the certificate of a connection, and what has to run for it.
func (s *Server) certificate() (get func(*tls.ClientHelloInfo) (*tls.Certificate, error), watch func(context.Context) error, err error) {
	if dir := s.cfg.CertDir; dir != "" {
		w, err := certwatcher.New(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
		if err != nil {
			return nil, nil, fmt.Errorf("reading certificate of the dashboard: %w", err)
		}
		return w.GetCertificate, w.Start, nil
	}
	cert, key, err := certutil.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("making certificate of the dashboard: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, nil, fmt.Errorf("making certificate of the dashboard: %w", err)
	}
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &pair, nil }, nil, nil
}

// Start implements manager.Runnable. It serves until ctx ends.
func (s *Server) Start(ctx context.Context) error {
	get, watch, err := s.certificate()
	if err != nil {
		return err
	}
	if watch != nil {
		watching := make(chan struct{})
		ctx, cancel := context.WithCancel(ctx)
		defer func() { cancel(); <-watching }()
		go func() {
			defer close(watching)
			if err := watch(ctx); err != nil {
				s.cfg.Log.Error("the certificate of the dashboard is not read again", "error", err)
			}
		}()
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listening for the dashboard: %w", err)
	}
	s.addr = l.Addr()
	close(s.ready)
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, WriteTimeout: answerTimeout,
		IdleTimeout: keepTimeout, MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		if err := server.Shutdown(last); err != nil {
			_ = server.Close() // closes connections whose requests still run
		}
	})
	err = server.Serve(tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: get, NextProtos: []string{"http/1.1"}}))
	if stop() {
		return fmt.Errorf("serving the dashboard: %w", err)
	}
	<-ended
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving the dashboard: %w", err)
}
