// Package cluster drives bin/cluster: a real cluster on this machine, with offices whose programs and
// browsers run in separate networks.
package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"time"
)

// Cluster is one cluster by its name.
type Cluster struct {
	Binary string // of the launcher
	Name   string
}

// Node is one worker node.
type Node struct {
	Name    string `json:"name"`
	IP      string `json:"ip"`
	PodCIDR string `json:"podCIDR"`
	Netns   string `json:"netns"`
}

// Office is one site of viewers.
type Office struct {
	Name    string `json:"name"`
	Netns   string `json:"netns"`
	CIDR    string `json:"cidr"`
	Gateway string `json:"gateway"` // the WAN's router, as the office sees it

	cluster *Cluster
}

// upWithin is how long the cluster may take to come up. Ten seconds do on a machine of its own; on one with other work, its API server
// alone was seen to take 88.
const upWithin = 4 * time.Minute

// Up brings the cluster up, after removing what a crashed run left behind.
func (c *Cluster) Up(ctx context.Context) error {
	_, err := c.run(ctx, "up", "--wait", upWithin.String())
	return err
}

// Down removes the cluster.
func (c *Cluster) Down(ctx context.Context) error {
	_, err := c.run(ctx, "down")
	return err
}

// Load gives an image to every node.
func (c *Cluster) Load(ctx context.Context, archive string) error {
	_, err := c.run(ctx, "load", archive)
	return err
}

// Kubeconfig is the administrator's.
func (c *Cluster) Kubeconfig(ctx context.Context) (string, error) {
	out, err := c.run(ctx, "kubeconfig")
	return strings.TrimSpace(out), err
}

// Kubectl is the command line that kubectl's arguments follow.
func (c *Cluster) Kubectl() []string { return c.arguments("kubectl", "--") }

// Nodes lists the worker nodes.
func (c *Cluster) Nodes(ctx context.Context) ([]Node, error) {
	out, err := c.run(ctx, "nodes", "--json")
	if err != nil {
		return nil, err
	}
	var nodes []Node
	if err := json.Unmarshal([]byte(out), &nodes); err != nil {
		return nil, fmt.Errorf("reading nodes: %w", err)
	}
	return nodes, nil
}

// Office makes an office, or makes the one of that name as flags say.
func (c *Cluster) Office(ctx context.Context, name string, flags ...string) (*Office, error) {
	out, err := c.run(ctx, append([]string{"office", name}, flags...)...)
	if err != nil {
		return nil, err
	}
	o := &Office{cluster: c}
	if err := json.Unmarshal([]byte(out), o); err != nil {
		return nil, fmt.Errorf("reading office %s: %w", name, err)
	}
	return o, nil
}

// Known is an office that another process has made, as read from JSON.
func (c *Cluster) Known(o *Office) *Office {
	known := *o
	known.cluster = c
	return &known
}

// Masquerade switches whether traffic of pods that leaves the cluster has their node's address.
func (c *Cluster) Masquerade(ctx context.Context, on bool) error {
	state := "off"
	if on {
		state = "on"
	}
	_, err := c.run(ctx, "masquerade", state)
	return err
}

// HidePods makes the WAN carry nothing between offices and the pods' own addresses, as networks outside of a
// cluster do that have no route to them. Offices then reach pods by the nodes' addresses or not at all.
func (c *Cluster) HidePods(ctx context.Context, pods netip.Prefix) error {
	rules := fmt.Sprintf(`table inet hidden_pods
delete table inet hidden_pods
table inet hidden_pods {
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname "o-*" ip daddr %[1]s counter drop
		oifname "o-*" ip saddr %[1]s counter drop
	}
}
`, pods)
	all := c.arguments("exec", "wan", "--", "nft", "-f", "-")
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("hiding pods: %w: %s", err, out)
	}
	return nil
}

// WAN is the network namespace of the router between nodes, offices and this machine.
func (n Node) WAN() string { return strings.TrimSuffix(n.Netns, n.Name) + "wan" }

// Prefix is what comes before a command line that is to run in the office.
func (o *Office) Prefix() []string { return o.cluster.arguments("exec", o.Name, "--") }

func (c *Cluster) arguments(args ...string) []string {
	return append([]string{c.Binary, "--name", c.Name}, args...)
}

func (c *Cluster) run(ctx context.Context, args ...string) (string, error) {
	all := c.arguments(args...)
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cluster %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}
