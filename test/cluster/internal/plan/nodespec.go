package plan

import "path/filepath"

// NodeSpec tells the first process of a node (or of the control plane) what to make of its world.
type NodeSpec struct {
	Place string `json:"place"`
	// Hide are folders that get an empty one of the node's own on top: what programs write there at
	// fixed paths must neither reach the machine nor meet another node's.
	Hide []string `json:"hide"`
	// Keep are folders that stay visible even if they lie below a hidden one.
	Keep []string `json:"keep"`
	// Pretend maps kernel settings to what the kubelet wants to read there. It would otherwise write
	// them, and they are the machine's.
	Pretend  map[string]string `json:"pretend"`
	Scratch  string            `json:"scratch"`
	Programs []Program         `json:"programs"`
	// Exits is the file that gets a line for each program that ends.
	Exits string `json:"exits"`
}

// NodeSpec describes the world of a worker node.
func (c Cluster) NodeSpec(p Paths, n Node) NodeSpec {
	spec := c.spec(p, n.Name)
	spec.Programs = c.NodePrograms(p, n)
	spec.Pretend = map[string]string{
		"/proc/sys/vm/overcommit_memory":      "1",
		"/proc/sys/vm/panic_on_oom":           "0",
		"/proc/sys/kernel/panic":              "10",
		"/proc/sys/kernel/panic_on_oops":      "1",
		"/proc/sys/kernel/keys/root_maxkeys":  "1000000",
		"/proc/sys/kernel/keys/root_maxbytes": "25000000",
	}
	return spec
}

// ControlPlaneSpec describes the world of the control plane.
func (c Cluster) ControlPlaneSpec(p Paths) NodeSpec {
	spec := c.spec(p, ControlPlane)
	spec.Programs = c.ControlPlanePrograms(p)
	return spec
}

func (c Cluster) spec(p Paths, place string) NodeSpec {
	return NodeSpec{
		Place:   place,
		Hide:    []string{"/run", "/var/lib", "/var/log"},
		Keep:    []string{p.State, p.Kube, filepath.Dir(p.CoreDNS)},
		Scratch: p.File(place, "pretend"),
		Exits:   p.File(place, "exits"),
	}
}
