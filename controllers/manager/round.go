package manager

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/p2pstream/p2pstream/controllers"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/overview"
	"github.com/p2pstream/p2pstream/controllers/poll"
	"github.com/p2pstream/p2pstream/controllers/push"
)

// round runs the loop with what the operator may watch, until that becomes more. The caches of a manager cannot be given another
// namespace, so the next round has a new manager; streams and their pods do not notice.
type round struct {
	*Manager
	rest    *rest.Config
	scheme  *runtime.Scheme
	api     client.Client
	asker   *poll.Client
	pushing *push.Client
	access  access
	found   exposure.Kinds // that the cluster has, whether or not the operator may watch them
	keys    *keys          // nil: no networks are served
}

// run returns true when the operator may watch more than before, or the cluster has other kinds.
func (r *round) run(ctx context.Context) (again bool, err error) {
	r.explain(r.access)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	mgr, err := r.newManager()
	if err != nil {
		return false, err
	}
	registered, err := r.setUp(mgr)
	if err != nil {
		return false, err
	}
	defer metrics.Registry.Unregister(registered)
	var more atomic.Bool
	if err := mgr.Add(everyReplica(func(ctx context.Context) error {
		if r.awaitMore(ctx) {
			more.Store(true)
			cancel()
		}
		return nil
	})); err != nil {
		return false, fmt.Errorf("adding the review of permissions: %w", err)
	}
	r.log.Info("operator starts", "image", r.cfg.Image, "namespaces", r.access.namespaces, "nodes", r.access.nodes, "httpRoutes", r.access.kinds.HTTPRoute, "tlsRoutes", r.access.kinds.TLSRoute, "certificates", r.access.kinds.Certificate, "leaderElect", r.cfg.LeaderElect)
	if err := mgr.Start(ctx); err != nil {
		return false, fmt.Errorf("running manager: %w", err)
	}
	return more.Load(), nil
}

func (r *round) newManager() (ctrl.Manager, error) {
	grace, again := drain, true
	namespaces := r.access.namespaces
	if len(namespaces) == 0 {
		namespaces = r.cfg.WatchNamespaces // nothing asks for them
	}
	if len(r.cfg.WatchNamespaces) == 0 {
		namespaces = nil
	}
	mgr, err := ctrl.NewManager(r.rest, ctrl.Options{
		Scheme:                        r.scheme,
		Cache:                         controllers.CacheOptions(namespaces, r.access.kinds),
		Metrics:                       metricsserver.Options{BindAddress: orNone(r.cfg.MetricsBindAddress)},
		HealthProbeBindAddress:        orNone(r.cfg.HealthProbeBindAddress),
		LeaderElection:                r.cfg.LeaderElect,
		LeaderElectionID:              r.cfg.lease(),
		LeaderElectionNamespace:       r.cfg.LeaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true, // the process ends, or the next round takes the Lease at once
		GracefulShutdownTimeout:       &grace,
		Controller:                    config.Controller{SkipNameValidation: &again}, // each round has one of that name
	})
	if err != nil {
		return nil, fmt.Errorf("creating manager: %w", err)
	}
	return mgr, nil
}

// setUp adds the loop, its metrics and probes. Metrics that count streams are to be unregistered at the end of the round.
func (r *round) setUp(mgr ctrl.Manager) (prometheus.Collector, error) {
	full := &caches{cache: mgr.GetCache()}
	streams := controllers.NewStreams(mgr.GetCache(), mgr.Elected())
	pods, err := r.cfg.pods()
	if err != nil {
		return nil, err
	}
	network, err := r.cfg.defaultNetwork()
	if err != nil {
		return nil, err
	}
	installation, err := r.cfg.installation()
	if err != nil {
		return nil, err
	}
	if len(r.access.namespaces) > 0 {
		options := controllers.Options{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Events: mgr.GetEventRecorder("p2pstream"), Poll: r.asker,
			Image: r.cfg.Image, PullPolicy: corev1.PullPolicy(r.cfg.ImagePullPolicy), Metrics: numbers(), Controller: r.cfg.controller(), WithoutNodes: !r.access.nodes, Kinds: r.access.kinds, Pods: pods, NetworkPolicies: r.cfg.policies(),
			Namespaces: r.watched(), DefaultNetwork: network, Key: r.key(), Push: r.pushing,
			Installation: installation, Upgrades: controllers.Upgrades{AtOnce: r.cfg.UpgradeStreams, WhenIdle: r.cfg.UpgradeWhenIdle},
		}
		if r.board != nil {
			options.Overview = r.board
		}
		reconciler := controllers.NewReconciler(options)
		if err := reconciler.SetupWithManager(mgr, r.cfg.MaxConcurrentReconciles); err != nil {
			return nil, fmt.Errorf("setting up controller: %w", err)
		}
		if r.keys != nil {
			if err := mgr.Add(r.keys); err != nil {
				return nil, fmt.Errorf("adding the operator's key: %w", err)
			}
		}
		if err := metrics.Registry.Register(streams); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
		full.kinds = controllers.Cached(r.access.nodes, r.access.kinds)
	}
	if err := r.addDashboard(mgr); err != nil {
		return nil, err
	}
	refused().Reset()
	for namespace := range r.access.refused {
		refused().WithLabelValues(namespace).Set(1)
	}
	if err := mgr.Add(full); err != nil {
		return nil, fmt.Errorf("adding the filling of caches: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("setting up probes: %w", err)
	}
	if err := mgr.AddReadyzCheck("caches", full.check); err != nil {
		return nil, fmt.Errorf("setting up probes: %w", err)
	}
	return streams, nil
}

// addDashboard adds the dashboard of all streams, if there is to be one.
func (r *round) addDashboard(mgr ctrl.Manager) error {
	if r.board == nil {
		return nil
	}
	r.board.Reset()
	server := overview.NewServer(overview.ServerConfig{Listen: r.cfg.DashboardBindAddress, CertDir: r.cfg.DashboardCertDir, Board: r.board,
		API: r.api, Metrics: dashboards(), Log: r.log})
	for _, part := range []manager.Runnable{r.board, server} {
		if err := mgr.Add(part); err != nil {
			return fmt.Errorf("adding the dashboard: %w", err)
		}
	}
	return nil
}

// key returns what asks for the operator's key.
func (r *round) key() func() controllers.Key {
	if r.keys == nil {
		return nil
	}
	return r.keys.get
}

// watched are the namespaces that are in the cache; none means all.
func (r *round) watched() []string {
	if len(r.cfg.WatchNamespaces) == 0 {
		return nil
	}
	return r.access.namespaces
}

// awaitMore returns true once the operator may watch more than it does, or the cluster has other kinds, and false when ctx ends.
// Where no permission is missing, it only asks for the kinds.
func (r *round) awaitMore(ctx context.Context) bool {
	tick := time.NewTicker(r.accessEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		found, err := kindsOf(r.rest)
		if err != nil {
			r.log.Debug("the kinds that the cluster has cannot be read", "error", err.Error())
			found = r.found
		}
		if r.access.complete() && found == r.access.kinds {
			continue
		}
		now, err := review(ctx, r.api, r.cfg.WatchNamespaces, found)
		if err != nil {
			r.log.Debug("permissions cannot be read", "error", err.Error())
			continue
		}
		if r.access.gains(now) {
			r.access, r.found = now, found
			return true
		}
	}
}

// everyReplica is a runnable that does not wait for the Lease.
type everyReplica func(context.Context) error

// Start implements manager.Runnable.
func (f everyReplica) Start(ctx context.Context) error { return f(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (f everyReplica) NeedLeaderElection() bool { return false }

// Metrics of the process, which outlive rounds.
var (
	numbers    = sync.OnceValue(func() *controllers.Metrics { return controllers.NewMetrics(metrics.Registry) })
	dashboards = sync.OnceValue(func() *overview.Metrics { return overview.NewMetrics(metrics.Registry) })
	refused    = sync.OnceValue(func() *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "p2pstream_operator_refused_namespaces",
			Help: "Namespaces that are to be watched and in which the operator's role lacks a permission; empty is all namespaces."}, []string{"namespace"})
		metrics.Registry.MustRegister(g)
		return g
	})
)
