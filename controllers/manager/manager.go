package manager

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/controllers/overview"
	"github.com/p2pstream/p2pstream/controllers/poll"
	"github.com/p2pstream/p2pstream/controllers/push"
)

// DefaultLeaseName is the Lease by which one of several replicas is chosen.
const DefaultLeaseName = "p2pstream-manager"

const (
	// drain is how long runs in progress may take to end.
	drain = 15 * time.Second
	// crdPatience is how long the operator waits for its CRDs.
	crdPatience = 30 * time.Second
	crdEvery    = 2 * time.Second
	// accessEvery is how often an operator that lacks permissions asks for them again, and how often it asks for the kinds that it
	// can do without.
	accessEvery = 20 * time.Second
)

// Manager is the operator as a program.
type Manager struct {
	cfg         Config
	log         *slog.Logger
	accessEvery time.Duration
	board       *overview.Board // nil: there is no dashboard
}

// New returns an operator; it connects to nothing yet. Metrics go to the registry of controller-runtime, which
// is where the rest of the operator's are.
func New(cfg Config, log *slog.Logger, _ prometheus.Registerer) (*Manager, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m := &Manager{cfg: cfg, log: log, accessEvery: accessEvery}
	if cfg.dashboard() {
		m.board = overview.NewBoard(nil)
	}
	return m, nil
}

// Scheme knows the kinds that the operator reads and writes.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1.AddToScheme, gatewayv1.Install, certmanager.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("building scheme: %w", err)
		}
	}
	return scheme, nil
}

// logOfClients sets the logger of Kubernetes' client libraries, which have one for the whole process and read it without a lock.
var logOfClients sync.Once

// Run reconciles streams until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	log := logr.FromSlogHandler(m.log.Handler())
	ctrl.SetLogger(log)
	logOfClients.Do(func() { klog.SetLogger(log) })
	restConfig, err := m.connect()
	if err != nil {
		return err
	}
	if err := m.awaitCRD(ctx, restConfig); err != nil {
		return err
	}
	scheme, err := Scheme()
	if err != nil {
		return err
	}
	api, err := client.New(restConfig, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("creating client: %w", err)
	}
	asker := poll.New()
	defer asker.Close()
	pushing := push.NewClient()
	defer pushing.Close()
	r := &round{Manager: m, rest: restConfig, scheme: scheme, api: api, asker: asker, pushing: pushing}
	if m.cfg.KeyFile != "" {
		r.keys = &keys{file: m.cfg.KeyFile, secret: m.cfg.KeySecret, namespace: m.cfg.ownNamespace(), api: api,
			warn: func(err error) { m.log.Warn("networks wait for the operator's key", "problem", err.Error()) }}
	}
	if r.found, err = kindsOf(restConfig); err != nil {
		m.log.Warn("the operator asks again for the kinds that the cluster has", "error", err.Error())
	}
	if r.access, err = review(ctx, api, m.cfg.WatchNamespaces, r.found); err != nil {
		return err
	}
	for again := true; again && ctx.Err() == nil; {
		if again, err = r.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager) connect() (*rest.Config, error) {
	if m.cfg.Rest != nil {
		return m.cfg.Rest, nil
	}
	restConfig, err := config.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster: %w; run in a pod, or set KUBECONFIG", err)
	}
	return restConfig, nil
}

// errNoCRD says what is missing and how to get it.
var errNoCRD = errors.New("the cluster has no P2PStream or no P2PNetwork resource: install the CRDs (kubectl apply -k config/crd, or the chart with crds.enabled)")

// awaitCRD gives an installation in progress time to create the CRD. Without it nothing can be watched, and a cache that
// never fills does not say why.
func (m *Manager) awaitCRD(ctx context.Context, restConfig *rest.Config) error {
	httpClient, err := rest.HTTPClientFor(restConfig)
	if err != nil {
		return fmt.Errorf("creating HTTP client: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, crdPatience)
	defer cancel()
	tick := time.NewTicker(crdEvery)
	defer tick.Stop()
	for said := false; ; {
		mapper, err := apiutil.NewDynamicRESTMapper(restConfig, httpClient)
		for _, kind := range []string{v1.Kind, v1.NetworkKind} {
			if err == nil {
				_, err = mapper.RESTMapping(schema.GroupKind{Group: v1.GroupVersion.Group, Kind: kind}, v1.GroupVersion.Version)
			}
		}
		switch {
		case err == nil:
			return nil
		case !meta.IsNoMatchError(err):
			err = fmt.Errorf("asking the API server for its kinds: %w", err)
		default:
			err = errNoCRD
		}
		if !said {
			said = true
			m.log.Warn("waiting", "for", err.Error())
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func orNone(address string) string {
	if address == "" {
		return "0"
	}
	return address
}
