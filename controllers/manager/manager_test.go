package manager

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/internal/freeport"
	labcertmanager "github.com/p2pstream/p2pstream/test/lab/certmanager"
	"github.com/p2pstream/p2pstream/test/lab/gatewayapi"
)

func valid(change func(*Config)) Config {
	c := Config{Image: "img:1", MetricsBindAddress: "0", HealthProbeBindAddress: "0", MaxConcurrentReconciles: 2}
	change(&c)
	return c
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]Config{
		"": valid(func(c *Config) {
			c.WatchNamespaces = []string{"media"}
			c.ImagePullPolicy = "Never"
			c.PodDefaults, c.LeaseName = "testdata/pods.yaml", "streams"
			c.MetricsBindAddress = ":8080"
			c.KeyFile, c.KeySecret, c.DefaultNetwork = "/key", "manager-key", "ecdn/corp"
		}),
		"--image: missing":                      valid(func(c *Config) { c.Image = "" }),
		"--image-pull-policy":                   valid(func(c *Config) { c.ImagePullPolicy = "Sometimes" }),
		"--metrics-bind-address":                valid(func(c *Config) { c.MetricsBindAddress = "8080" }),
		"--dashboard-bind-address":              valid(func(c *Config) { c.DashboardBindAddress = "8443" }),
		"--health-probe-bind-address":           valid(func(c *Config) { c.HealthProbeBindAddress = "x" }),
		"not the name of a namespace":           valid(func(c *Config) { c.LeaderElectionNamespace = "A/B" }),
		"--watch-namespace: empty":              valid(func(c *Config) { c.WatchNamespaces = []string{""} }),
		"--lease-name":                          valid(func(c *Config) { c.LeaseName = "A/B" }),
		"--pod-defaults: open":                  valid(func(c *Config) { c.PodDefaults = "testdata/none.yaml" }),
		`unknown field "nodeSelectors"`:         valid(func(c *Config) { c.PodDefaults = "testdata/typo.yaml" }),
		"pods.env must not set GOMEMLIMIT":      valid(func(c *Config) { c.PodDefaults = "testdata/reserved.yaml" }),
		"--network-policy-origin has no effect": valid(func(c *Config) { c.NetworkPolicyOrigins = []string{"203.0.113.0/24"} }),
		`--network-policy-origin: "203.0.113.7/24"`: valid(func(c *Config) {
			c.NetworkPolicies, c.NetworkPolicyOrigins = true, []string{"2001:db8::/32", "203.0.113.7/24"}
		}),
		"--network-policy-origin: 65 ranges": valid(func(c *Config) {
			c.NetworkPolicies, c.NetworkPolicyOrigins = true, slices.Repeat([]string{"203.0.113.0/24"}, 65)
		}),
		"--key-file and --key-secret":     valid(func(c *Config) { c.KeyFile = "/key" }),
		"--key-secret: \"A/B\"":           valid(func(c *Config) { c.KeyFile, c.KeySecret = "/key", "A/B" }),
		"--default-network: \"corp\"":     valid(func(c *Config) { c.DefaultNetwork = "corp" }),
		"--default-network: \"ecdn/1.a\"": valid(func(c *Config) { c.DefaultNetwork = "ecdn/1.a" }),
		"--upgrade-streams":               valid(func(c *Config) { c.UpgradeStreams = -1 }),
		"--upgrade-when-idle":             valid(func(c *Config) { c.UpgradeWhenIdle = 721 * time.Hour }),
		"--max-concurrent-reconciles":     valid(func(c *Config) { c.MaxConcurrentReconciles = 0 }),
	} {
		err := c.Validate()
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if _, err := New(valid(func(c *Config) { c.Image = "" }), slog.Default(), nil); err == nil {
		t.Error("New took a configuration that is not valid")
	}
}

// TestInstallation: whatever the operator brings to pods by itself makes it another installation, and nothing else does.
func TestInstallation(t *testing.T) {
	t.Parallel()
	of := func(change func(*Config)) string {
		c := valid(change)
		text, err := c.installation()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	was := of(func(*Config) {})
	for name, change := range map[string]func(*Config){
		"version": func(c *Config) { c.Version = "v2" }, "image": func(c *Config) { c.Image = "other" },
		"pull policy": func(c *Config) { c.ImagePullPolicy = "Always" }, "defaults of pods": func(c *Config) { c.PodDefaults = "testdata/pods.yaml" },
	} {
		if of(change) == was {
			t.Errorf("another %s is not noticed", name)
		}
	}
	if of(func(c *Config) { c.LeaderElect, c.MaxConcurrentReconciles = true, 99 }) != was {
		t.Error("what pods do not have makes another installation")
	}
}

// TestRun starts the program on a cluster without the CRD, installs it, creates a stream, and stops the program.
func TestRun(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set; it names the folder of kube-apiserver and etcd. Use: make unit")
	}
	env := &envtest.Environment{ControlPlaneStartTimeout: time.Minute, ControlPlaneStopTimeout: time.Minute}
	rest, err := env.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	scheme, err := Scheme()
	if err != nil {
		t.Fatal(err)
	}
	admin, err := client.New(rest, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	out := &lines{}
	probes, numbers, shown := freeAddress(t), freeAddress(t), freeAddress(t)
	m, err := New(Config{Image: "img:1", MetricsBindAddress: numbers, HealthProbeBindAddress: probes, DashboardBindAddress: shown, LeaderElect: true,
		LeaderElectionNamespace: "default", MaxConcurrentReconciles: 2, Rest: rest}, slog.New(slog.NewTextHandler(out, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()

	eventually(t, "a log line about the missing CRD", func() bool { return strings.Contains(out.String(), "install the CRD") })
	if _, err := envtest.InstallCRDs(rest, envtest.CRDInstallOptions{Paths: []string{"../../config/crd/p2pstream.dev_p2pstreams.yaml", "../../config/crd/p2pstream.dev_p2pnetworks.yaml"}, ErrorIfPathMissing: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "readiness", func() bool {
		return get("http://"+probes+"/readyz") == "ok" && get("http://"+probes+"/healthz") == "ok"
	})
	stream := &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "live"},
		Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "https://origin.example.com/master.m3u8"}}}
	if err := admin.Create(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	eventually(t, "children", func() bool {
		return admin.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "live-tracker"}, &corev1.ConfigMap{}) == nil
	})
	var lease coordinationv1.Lease
	if err := admin.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: DefaultLeaseName}, &lease); err != nil || lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
		t.Errorf("lease: %v, %+v", err, lease.Spec)
	}
	for _, name := range []string{"p2pstream_operator_phase_seconds_count", `p2pstream_operator_streams{condition="Ready"`, `p2pstream_operator_child_writes_total{kind="ConfigMap",result="ok",verb="apply"}`, "controller_runtime_reconcile_total"} {
		eventually(t, "metric "+name, func() bool { return strings.Contains(get("http://"+numbers+"/metrics"), name) })
	}
	checkDashboard(t, admin, shown)
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	if err := admin.Get(t.Context(), client.ObjectKeyFromObject(&lease), &lease); err != nil || (lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "") {
		t.Errorf("the lease was not given back: %v, %+v", err, lease.Spec)
	}
	if strings.Contains(out.String(), "panic") {
		t.Error(out.String())
	}
	gateway, err := gatewayapi.CRDs(t.Context(), "httproutes")
	if err != nil {
		t.Fatal(err)
	}
	certificates, err := labcertmanager.CRD()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []comingKind{
		{"httpRoutes", gateway, &gatewayv1.HTTPRoute{}, v1.TrackerExposure{Type: v1.ExposureGateway, Host: "p2p.example.com", TLSTerminated: true,
			Gateway: &v1.GatewaySettings{ParentRefs: []v1.GatewayReference{{Name: "public"}}}}},
		{"certificates", []string{certificates}, &certmanager.Certificate{}, v1.TrackerExposure{Type: v1.ExposureIngress, Host: "p2p.example.com",
			Certificate: &v1.CertificateSettings{IssuerRef: v1.IssuerReference{Name: "corporate"}}}},
	} {
		t.Run(c.name+" come and go", func(t *testing.T) { c.comesAndGoes(t, rest, admin) })
	}
	t.Run("few permissions", func(t *testing.T) { fewPermissions(t, env, admin) })
}

// comingKind is a kind that a cluster may lack.
type comingKind struct {
	name     string // as the log has it
	crds     []string
	child    client.Object
	exposure v1.TrackerExposure // for which the operator makes the child
}

// comesAndGoes installs the kind while the program runs, and removes it.
func (k comingKind) comesAndGoes(t *testing.T, rest *rest.Config, admin client.Client) {
	stream := &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "with-" + strings.ToLower(k.name)},
		Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: v1.URL("https://origin.example.com/" + k.name + ".m3u8")}, Tracker: &v1.TrackerSpec{Exposure: &k.exposure}}}
	if err := admin.Create(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	out := &lines{}
	probes := freeAddress(t)
	m, err := New(valid(func(c *Config) { c.Rest, c.HealthProbeBindAddress = rest, probes }), slog.New(slog.NewTextHandler(out, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	m.accessEvery = 200 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	exists := func(o client.Object) func() bool {
		return func() bool {
			return admin.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: stream.Name + "-tracker"}, o) == nil
		}
	}
	ready := func() bool { return get("http://"+probes+"/readyz") == "ok" }
	rounds := func(has string) int { return strings.Count(out.String(), k.name+"="+has) }
	eventually(t, "a Service", exists(&corev1.Service{}))
	options := envtest.CRDInstallOptions{Paths: k.crds, ErrorIfPathMissing: true}
	if _, err := envtest.InstallCRDs(rest, options); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child", exists(k.child))
	eventually(t, "readiness", ready)
	if rounds("true") != 1 {
		t.Errorf("%d rounds with the kind", rounds("true"))
	}
	if err := envtest.UninstallCRDs(rest, options); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a round without the kind", func() bool { return rounds("false") == 2 })
	eventually(t, "readiness", ready)
	cancel()
	if err := <-done; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// fewPermissions starts the program for two namespaces without any role, and binds its role in one after the other.
func fewPermissions(t *testing.T, env *envtest.Environment, admin client.Client) {
	user, err := env.AddUser(envtest.User{Name: "few"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range []string{"media", "events"} {
		if err := admin.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}); err != nil {
			t.Fatal(err)
		}
		if err := admin.Create(t.Context(), &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "live"},
			Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "https://origin.example.com/master.m3u8"},
				Tracker: &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureNodePort}}}}); err != nil {
			t.Fatal(err)
		}
	}
	out := &lines{}
	probes, numbers := freeAddress(t), freeAddress(t)
	m, err := New(Config{Image: "img:1", MetricsBindAddress: numbers, HealthProbeBindAddress: probes, WatchNamespaces: []string{"media", "events"},
		MaxConcurrentReconciles: 2, Rest: user.Config()}, slog.New(slog.NewTextHandler(out, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	m.accessEvery = 200 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	made := func(ns string) func() bool {
		return func() bool {
			return admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "live-tracker"}, &corev1.ConfigMap{}) == nil
		}
	}
	eventually(t, "an operator that lives and is not ready", func() bool {
		return get("http://"+probes+"/healthz") == "ok" && strings.Contains(get("http://"+probes+"/readyz"), "caches failed")
	})
	bindRole(t, admin, "media")
	eventually(t, "children in the first namespace", made("media"))
	eventually(t, "readiness", func() bool { return get("http://"+probes+"/readyz") == "ok" })
	if made("events")() || !strings.Contains(get("http://"+numbers+"/metrics"), `p2pstream_operator_refused_namespaces{namespace="events"} 1`) ||
		!strings.Contains(out.String(), `namespace=events lacks="list p2pstreams.p2pstream.dev"`) {
		t.Errorf("it does not say that it skips a namespace: %s", out)
	}
	var stream v1.P2PStream
	eventually(t, "a status, and a log line about nodes", func() bool {
		err := admin.Get(t.Context(), client.ObjectKey{Namespace: "media", Name: "live"}, &stream)
		return err == nil && len(stream.Status.Conditions) > 6 && strings.Contains(out.String(), "may not list and watch nodes")
	})
	bindRole(t, admin, "events")
	eventually(t, "children in the second namespace", made("events"))
	eventually(t, "readiness", func() bool { return get("http://"+probes+"/readyz") == "ok" })
	if strings.Contains(get("http://"+numbers+"/metrics"), `refused_namespaces{namespace="events"}`) {
		t.Error("the metric still counts a namespace that is served")
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// bindRole gives the user the manager's role in a namespace, as a Role: without what is of the cluster.
func bindRole(t *testing.T, admin client.Client, ns string) {
	t.Helper()
	raw, err := os.ReadFile("../../config/rbac/manager_role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	whole := &rbacv1.ClusterRole{}
	if err := yaml.UnmarshalStrict(raw, whole); err != nil {
		t.Fatal(err)
	}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "operator"}, Rules: whole.Rules}
	if err := admin.Create(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	if err := admin.Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "operator"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "few"}}}); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(40 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

func get(url string) string {
	resp, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := freeport.On("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// lines is a log that is read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
