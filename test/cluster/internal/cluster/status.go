package cluster

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
)

// ProgramStatus tells whether one program of a place runs.
type ProgramStatus struct {
	Place   string `json:"place"`
	Program string `json:"program"`
	// PID is the number on the machine; 0 if the program does not run.
	PID int    `json:"pid"`
	Log string `json:"log"`
}

// Status is what a cluster looks like now.
type Status struct {
	Name       string          `json:"name"`
	Server     string          `json:"server"`
	Kubeconfig string          `json:"kubeconfig"`
	Masquerade bool            `json:"masquerade"`
	Working    bool            `json:"working"`
	Programs   []ProgramStatus `json:"programs"`
	Nodes      []NodeStatus    `json:"nodes"`
	Offices    []OfficeInfo    `json:"offices"`
}

// NodeStatus is a node and why it is not ready, if it is not.
type NodeStatus struct {
	Name    string `json:"name"`
	IP      string `json:"ip"`
	Zone    string `json:"zone"`
	Problem string `json:"problem,omitempty"`
}

// Inspect returns the status of a cluster.
func Inspect(ctx context.Context, name string) (Status, error) {
	s, err := Load(name)
	if err != nil {
		return Status{}, err
	}
	st := Status{Name: name, Server: s.Server(), Kubeconfig: s.Paths().Kubeconfig(), Masquerade: s.Masquerade, Working: s.Ready}
	if st.Programs, err = s.programs(); err != nil {
		return Status{}, err
	}
	for _, p := range st.Programs {
		st.Working = st.Working && p.PID != 0
	}
	client, err := newAPI(st.Kubeconfig)
	if err != nil {
		return Status{}, err
	}
	for _, n := range s.Nodes() {
		node := NodeStatus{Name: n.Name, IP: n.IP, Zone: n.Zone}
		if err := client.nodeReady(ctx, n.Name); err != nil {
			node.Problem, st.Working = err.Error(), false
		}
		st.Nodes = append(st.Nodes, node)
	}
	// Without its router a cluster has no offices; the rest of the status says why.
	st.Offices, _ = s.officeInfos(ctx)
	return st, nil
}

func (s *State) programs() ([]ProgramStatus, error) {
	processes, err := host.Processes()
	if err != nil {
		return nil, err
	}
	var all []ProgramStatus
	for _, spec := range s.specs() {
		at := slices.IndexFunc(s.Places, func(p Place) bool { return p.Name == spec.Place })
		for _, program := range spec.Programs {
			status := ProgramStatus{Place: spec.Place, Program: program.Name, Log: program.Log}
			for _, p := range processes {
				if at >= 0 && p.Parent == s.Places[at].Init.PID && filepath.Base(p.Args[0]) == program.Name {
					status.PID = p.PID
				}
			}
			all = append(all, status)
		}
	}
	return all, nil
}
