package prometheus

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/manager"
	"github.com/p2pstream/p2pstream/runtime/sites"
	tracker "github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// programs are all that run: a stream with a site and viewers, a tracker with TLS, and the operator.
type programs struct {
	*stream.Stream
	manager *program.Process
	targets []target
}

func startPrograms(t *testing.T) *programs {
	t.Helper()
	p := &programs{}
	add := func(process *program.Process, component, pod, name string) {
		p.targets = append(p.targets, target{process.Admin, component, pod, name})
	}
	p.manager = startManager(t)
	add(p.manager, "manager", "p2pstream-manager-0", "")
	p.Stream = stream.Start(t, stream.Options{Tracker: func(c *tracker.Config) {
		c.Sites = &tracker.SitesConfig{Config: sites.Config{List: []sites.Entry{{Name: "berlin", CIDRs: []string{"127.0.0.0/8"}}}}}
	}})
	add(p.Tracker, "tracker", "town-hall-tracker-0", "town-hall")
	add(p.STUN, "stun", "town-hall-stun-0", "town-hall")
	add(p.Seeder, "seeder", "town-hall-seeder-0", "town-hall")
	add(startViewer(t, map[string]any{"configURL": p.HTTP("/v1/config"), "origin": "http://" + p.Listen, "headless": true, "count": 4, "loopback": true}),
		"viewer", "viewer-0", "town-hall")
	proxy := lab.FreeAddress(t)
	add(startViewer(t, map[string]any{"configURL": p.HTTP("/v1/config"), "origin": "http://" + p.Listen, "listen": proxy, "loopback": true}),
		"viewer", "proxy-0", "town-hall")
	lab.Get(t, "http://"+proxy+"/master.m3u8")
	add(startTLS(t), "tracker", "all-hands-tracker-0", "all-hands")
	return p
}

func startViewer(t *testing.T, config map[string]any) *program.Process {
	t.Helper()
	config["adminListen"] = lab.FreeAddress(t)
	return program.Start(t, program.Spec{Command: "viewer", Admin: config["adminListen"].(string), Config: config})
}

// startTLS runs a tracker that has a certificate and no stream.
func startTLS(t *testing.T) *program.Process {
	t.Helper()
	dir := t.TempDir()
	key := lab.Must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"tracker.example.com"}, NotAfter: time.Now().Add(90 * 24 * time.Hour)}
	files := map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: lab.Must[[]byte](t)(x509.CreateCertificate(rand.Reader, c, c, key.Public(), key))},
		"tls.key": {Type: "PRIVATE KEY", Bytes: lab.Must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))},
	}
	for name, block := range files {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := tracker.Config{Listen: lab.FreeAddress(t), AdminListen: lab.FreeAddress(t), TLSCert: filepath.Join(dir, "tls.crt"), TLSKey: filepath.Join(dir, "tls.key")}
	return program.Start(t, program.Spec{Command: "tracker", Name: "tracker with TLS", Admin: cfg.AdminListen, Config: cfg})
}

// startManager runs the operator on a real API server, with one stream whose pods never start.
func startManager(t *testing.T) *program.Process {
	t.Helper()
	env := &envtest.Environment{CRDDirectoryPaths: []string{"../../config/crd/p2pstream.dev_p2pstreams.yaml", "../../config/crd/p2pstream.dev_p2pnetworks.yaml"}, ErrorIfCRDPathMissing: true,
		ControlPlaneStartTimeout: time.Minute, ControlPlaneStopTimeout: time.Minute}
	config, err := env.Start()
	if err != nil {
		t.Fatalf("starting API server: %v; use make prometheus", err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Errorf("stopping API server: %v", err)
		}
	})
	user := lab.Must[*envtest.AuthenticatedUser](t)(env.AddUser(envtest.User{Name: "operator", Groups: []string{"system:masters"}}, config))
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, lab.Must[[]byte](t)(user.KubeConfig()), 0o600); err != nil {
		t.Fatal(err)
	}
	scheme, err := manager.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	admin := lab.Must[client.Client](t)(client.New(config, client.Options{Scheme: scheme}))
	if err := admin.Create(t.Context(), &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Name: "town-hall", Namespace: "default"},
		Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "http://origin.example.com/master.m3u8"}}}); err != nil {
		t.Fatal(err)
	}
	metrics, health := lab.FreeAddress(t), lab.FreeAddress(t)
	return program.Start(t, program.Spec{Command: "manager", Admin: metrics, Ready: fmt.Sprintf("http://%s/readyz", health),
		Prefix: []string{"env", "KUBECONFIG=" + kubeconfig},
		Args:   []string{"--image=localhost/p2pstream:test", "--metrics-bind-address=" + metrics, "--health-probe-bind-address=" + health, "--dashboard-bind-address=127.0.0.1:0"}})
}
