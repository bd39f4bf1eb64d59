package plan

import "path/filepath"

// Paths says where a cluster keeps its files and finds its programs.
type Paths struct {
	// State is the cluster's own folder; all that it writes is below.
	State string
	// Kube is the folder with etcd, kubectl, kubelet and the kube-… programs.
	Kube string
	// CoreDNS is the cluster DNS program.
	CoreDNS string
	// CNI is the folder with the CNI plugins.
	CNI string
}

// Place is the folder of a node or of the control plane.
func (p Paths) Place(place string) string { return filepath.Join(p.State, place) }

// File is a file in the folder of a node or of the control plane.
func (p Paths) File(place string, name ...string) string {
	return filepath.Join(append([]string{p.State, place}, name...)...)
}

// Log is the log of one program.
func (p Paths) Log(place, program string) string {
	return filepath.Join(p.State, "logs", place+"-"+program+".log")
}

// Kubeconfig is the administrator's kubeconfig.
func (p Paths) Kubeconfig() string { return filepath.Join(p.State, "kubeconfig") }

// CA is the certificate that signed the API server's.
func (p Paths) CA() string { return filepath.Join(p.State, "pki", "ca.crt") }

// APIServerCert is the API server's certificate.
func (p Paths) APIServerCert() string { return filepath.Join(p.State, "pki", "apiserver.crt") }

// APIServerKey is the API server's private key.
func (p Paths) APIServerKey() string { return filepath.Join(p.State, "pki", "apiserver.key") }

// ServiceAccountKey signs and checks service account tokens.
func (p Paths) ServiceAccountKey() string {
	return filepath.Join(p.State, "pki", "service-account.key")
}

// Tokens is the API server's list of static tokens.
func (p Paths) Tokens() string { return filepath.Join(p.State, "pki", "tokens.csv") }

// Started is the file whose existence tells the waiting programs that the API server answers.
func (p Paths) Started() string { return filepath.Join(p.State, "api-server-answers") }

// Socket is the containerd socket of a node.
func (p Paths) Socket(node string) string { return p.File(node, "containerd.sock") }
