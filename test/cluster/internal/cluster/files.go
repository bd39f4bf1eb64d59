package cluster

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
	"github.com/p2pstream/p2pstream/tools/oci"
)

// writeConfig writes everything that the cluster's programs read.
func (s *State) writeConfig(pause string) error {
	p := s.Paths()
	if err := os.MkdirAll(p.Place("logs"), 0o755); err != nil {
		return fmt.Errorf("making folder: %w", err)
	}
	snapshotter, err := host.Snapshotter(p.State)
	if err != nil {
		return err
	}
	ca, err := writePKI(s.Cluster, p, time.Now())
	if err != nil {
		return err
	}
	files := map[string][]byte{p.File(plan.ControlPlane, "Corefile"): []byte(s.Corefile(p))}
	var tokens strings.Builder
	for _, identity := range s.Identities(p) {
		token := rand.Text()
		tokens.WriteString(identity.TokenLine(token))
		files[identity.Kubeconfig] = []byte(s.Kubeconfig(identity.User, token, ca))
	}
	files[p.Tokens()] = []byte(tokens.String())
	for _, n := range s.Nodes() {
		files[p.File(n.Name, "kubelet.json")] = []byte(s.KubeletConfig(p, n))
		files[p.File(n.Name, "kube-proxy.json")] = []byte(s.ProxyConfig(p, n))
		files[p.File(n.Name, "containerd.toml")] = []byte(plan.ContainerdConfig(p, n, snapshotter))
		files[p.File(n.Name, "cni", "10-pods.conflist")] = []byte(plan.CNIConfig(n))
		files[p.File(n.Name, "resolv.conf")] = nil // pods ask cluster DNS, and nothing beyond
	}
	for _, spec := range s.specs() {
		data, err := json.MarshalIndent(spec, "", "  ")
		if err != nil {
			return fmt.Errorf("writing node spec: %w", err)
		}
		files[specFile(p, spec.Place)] = data
	}
	if err := writeFiles(files); err != nil {
		return err
	}
	img, err := oci.FromBinary(pause, runtime.GOARCH)
	if err != nil {
		return err
	}
	_, err = oci.Write(pauseArchive(p), plan.PauseImage, img)
	return err
}

func (s *State) specs() []plan.NodeSpec {
	specs := []plan.NodeSpec{s.ControlPlaneSpec(s.Paths())}
	for _, n := range s.Nodes() {
		specs = append(specs, s.NodeSpec(s.Paths(), n))
	}
	return specs
}

func specFile(p plan.Paths, place string) string { return p.File(place, "init.json") }

func pauseArchive(p plan.Paths) string { return p.Place("pause.tar") }
