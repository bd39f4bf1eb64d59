package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

func TestIsInit(t *testing.T) {
	tests := []struct {
		line string
		want bool
	}{
		{"/repo/bin/cluster node-init /var/lib/p2pstream-cluster/p2p/n1/init.json", true},
		{"/repo/bin/cluster node-init /var/lib/p2pstream-cluster/p2p2/n1/init.json", false},
		{"/repo/bin/cluster up --name p2p", false},
		{"vim node-init /var/lib/p2pstream-cluster/p2p/n1/init.json extra", false},
		{"", false},
	}
	for _, test := range tests {
		if got := isInit(strings.Split(test.line, " "), "p2p"); got != test.want {
			t.Errorf("%q: got %v", test.line, got)
		}
	}
}

func TestImportedNames(t *testing.T) {
	said := "unpacking localhost/probe:test (sha256:2008fb)...done\nsomething else\nunpacking localhost/other:1 (sha256:abc)...done\n"
	if diff := cmp.Diff([]string{"localhost/probe:test", "localhost/other:1"}, importedNames(said)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The certificate must hold for every address by which the API server is reached.
func TestPKI(t *testing.T) {
	c := plan.Cluster{Name: "p2p", Net: 217, NodeCount: 1}
	p := plan.Paths{State: t.TempDir()}
	now := time.Now()
	ca, err := writePKI(c, p, now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(p.APIServerCert(), p.APIServerKey())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("no CA")
	}
	for _, name := range []string{"10.217.0.2", "10.96.0.1", "127.0.0.1", "localhost", "kubernetes.default.svc.cluster.local"} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: now.Add(time.Hour)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewAPIReadsOurKubeconfig(t *testing.T) {
	c := plan.Cluster{Name: "p2p", Net: 217}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := writeFile(file, []byte(c.Kubeconfig("admin", "secret", []byte("ca")))); err != nil {
		t.Fatal(err)
	}
	client, err := newAPI(file)
	if err != nil || client.server != "https://10.217.0.2:6443" || client.token != "secret" {
		t.Errorf("got %+v, %v", client, err)
	}
}

func TestNetns(t *testing.T) {
	s := &State{Cluster: plan.Cluster{Name: "p2p", Net: 217, NodeCount: 2}, Offices: []plan.Office{{Name: "paris", Index: 1}}}
	for place, want := range map[string]string{
		"n0": "p2pstream-p2p-n0", "n2": "p2pstream-p2p-n2", "wan": "p2pstream-p2p-wan", "paris": "p2pstream-p2p-office-paris",
	} {
		if got, err := s.Netns(place); err != nil || got != want {
			t.Errorf("%s: got %q, %v", place, got, err)
		}
	}
	for _, unknown := range []string{"n3", "berlin", "", "office-paris"} {
		if got, err := s.Netns(unknown); err == nil {
			t.Errorf("%q: got %q", unknown, got)
		}
	}
}
