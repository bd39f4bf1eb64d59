package plan

import (
	"fmt"
	"path/filepath"
)

// Program is one process that a node or the control plane runs.
type Program struct {
	Name string   `json:"name"`
	Path string   `json:"path"`
	Args []string `json:"args"`
	Log  string   `json:"log"`
	// After is a file that has to exist before the program is started; empty means at once.
	After string `json:"after,omitempty"`
}

// ControlPlanePrograms lists what n0 runs.
func (c Cluster) ControlPlanePrograms(p Paths) []Program {
	kube := func(name, after string, args ...string) Program {
		return Program{Name: name, Path: filepath.Join(p.Kube, name), Args: args, Log: p.Log(ControlPlane, name), After: after}
	}
	return []Program{
		kube("etcd", "",
			"--data-dir="+p.File(ControlPlane, "etcd"),
			"--listen-client-urls=http://127.0.0.1:2379",
			"--advertise-client-urls=http://127.0.0.1:2379",
			"--listen-peer-urls=http://127.0.0.1:2380",
			"--log-level=warn",
			"--unsafe-no-fsync", // the cluster never outlives the machine
		),
		kube("kube-apiserver", "",
			"--etcd-servers=http://127.0.0.1:2379",
			"--bind-address=0.0.0.0",
			fmt.Sprintf("--secure-port=%d", apiServerPort),
			"--advertise-address="+c.ControlPlaneIP(),
			"--tls-cert-file="+p.APIServerCert(),
			"--tls-private-key-file="+p.APIServerKey(),
			"--cert-dir="+p.File(ControlPlane, "certs"),
			"--service-account-key-file="+p.ServiceAccountKey(),
			"--service-account-signing-key-file="+p.ServiceAccountKey(),
			"--service-account-issuer=https://kubernetes.default.svc",
			"--token-auth-file="+p.Tokens(),
			"--authorization-mode=Node,RBAC",
			"--allow-privileged=true",
			"--service-cluster-ip-range="+ServiceCIDR,
			// Nodes have no names that resolve: logs and exec must go to their addresses.
			"--kubelet-preferred-address-types=InternalIP",
			// No kube-proxy runs here: webhooks and aggregated APIs are reached by their pods' addresses.
			"--enable-aggregator-routing=true",
		),
		kube("kube-controller-manager", p.Started(),
			"--kubeconfig="+p.File(ControlPlane, "kube-controller-manager.kubeconfig"),
			"--controllers=*,-node-ipam-controller",
			"--use-service-account-credentials=true",
			"--root-ca-file="+p.CA(),
			"--service-account-private-key-file="+p.ServiceAccountKey(),
			"--bind-address=127.0.0.1",
			// Controllers start one by one, each with a few requests: the default rate makes that four seconds.
			"--kube-api-qps=200",
			"--kube-api-burst=400",
			"--leader-elect=false",
		),
		kube("kube-scheduler", p.Started(),
			"--kubeconfig="+p.File(ControlPlane, "kube-scheduler.kubeconfig"),
			"--bind-address=127.0.0.1",
			"--leader-elect=false",
		),
		{
			Name: "coredns", Path: p.CoreDNS, Log: p.Log(ControlPlane, "coredns"), After: p.Started(),
			Args: []string{"-conf", p.File(ControlPlane, "Corefile")},
		},
	}
}

// NodePrograms lists what a worker node runs.
func (c Cluster) NodePrograms(p Paths, n Node) []Program {
	return []Program{
		{
			Name: "containerd", Path: "containerd", Log: p.Log(n.Name, "containerd"),
			Args: []string{"--config", p.File(n.Name, "containerd.toml")},
		},
		{
			Name: "kubelet", Path: filepath.Join(p.Kube, "kubelet"), Log: p.Log(n.Name, "kubelet"), After: p.Started(),
			Args: []string{
				"--config=" + p.File(n.Name, "kubelet.json"),
				"--kubeconfig=" + p.File(n.Name, "kubelet.kubeconfig"),
				"--root-dir=" + p.File(n.Name, "kubelet"),
				"--hostname-override=" + n.Name,
				"--node-ip=" + n.IP,
				"--node-labels=topology.kubernetes.io/zone=" + n.Zone,
			},
		},
		{
			Name: "kube-proxy", Path: filepath.Join(p.Kube, "kube-proxy"), Log: p.Log(n.Name, "kube-proxy"), After: p.Started(),
			Args: []string{"--config=" + p.File(n.Name, "kube-proxy.json")},
		},
	}
}
