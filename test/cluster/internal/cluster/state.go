package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/p2pstream/p2pstream/test/cluster/internal/binaries"
	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

// Root is the folder with a state folder for each cluster of the machine.
const Root = "/var/lib/p2pstream-cluster"

// Place is a node or the control plane, by its first process.
type Place struct {
	Name string       `json:"name"`
	Init host.Process `json:"init"`
}

// State is what the launcher records of a cluster between two commands.
type State struct {
	plan.Cluster
	Masquerade bool          `json:"masquerade"`
	Kube       string        `json:"kube"`
	CoreDNS    string        `json:"coredns"`
	Places     []Place       `json:"places"`
	Offices    []plan.Office `json:"offices"`
	// Ready is set once `up` has seen the cluster work.
	Ready bool `json:"ready"`
}

// ErrNotUp means that there is no cluster of this name.
var ErrNotUp = errors.New("is not up")

// Dir is the state folder of a cluster.
func Dir(name string) string { return filepath.Join(Root, name) }

func stateFile(name string) string { return filepath.Join(Dir(name), "state.json") }

// Load reads the state of a cluster.
func Load(name string) (*State, error) {
	if err := plan.CheckName(name); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(stateFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cluster %s %w: run `cluster up --name %s`", name, ErrNotUp, name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading cluster state: %w", err)
	}
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("reading cluster state: %w", err)
	}
	return &s, nil
}

// save writes the state so that no reader ever sees half of it.
func (s *State) save() error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("writing cluster state: %w", err)
	}
	file := stateFile(s.Name)
	if err := os.WriteFile(file+".new", append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing cluster state: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("writing cluster state: %w", err)
	}
	return nil
}

// Paths says where the cluster's files are.
func (s *State) Paths() plan.Paths {
	return plan.Paths{State: Dir(s.Name), Kube: s.Kube, CoreDNS: s.CoreDNS, CNI: host.CNIDir}
}

func (s *State) use(set binaries.Set) { s.Kube, s.CoreDNS = set.Kube, set.CoreDNS }

// Netns is the network namespace of a node, of the control plane, of the WAN or of an office.
func (s *State) Netns(place string) (string, error) {
	if place == plan.WAN || place == plan.ControlPlane {
		return s.Cluster.Netns(place), nil
	}
	for _, n := range s.Nodes() {
		if n.Name == place {
			return n.Netns, nil
		}
	}
	for _, o := range s.Offices {
		if o.Name == place {
			return s.OfficeNetns(o.Name), nil
		}
	}
	return "", fmt.Errorf("cluster %s has no node or office %q: `cluster nodes` and `cluster offices` list them; `cluster office %s` makes an office", s.Name, place, place)
}

// change loads the state of a cluster that is up, lets do change it, and saves it, under the cluster's lock.
func change(ctx context.Context, name string, out io.Writer, do func(*State) error) error {
	if _, err := Load(name); err != nil {
		return err
	}
	release, err := lock(ctx, name, out)
	if err != nil {
		return err
	}
	defer release()
	s, err := Load(name)
	if err != nil {
		return err
	}
	return do(s)
}

func lock(ctx context.Context, name string, out io.Writer) (func(), error) {
	return host.Lock(ctx, Dir(name), func() {
		_, _ = fmt.Fprintf(out, "waiting for another command on cluster %s…\n", name)
	})
}
