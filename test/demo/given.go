package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

const (
	crdName = "p2pstreams.p2pstream.dev"
	// localImage is what `make image` names the image of a checkout.
	localImage = "localhost/p2pstream:dev"
	// removedKinds are the kinds outside namespaces that a run may make. What is in the namespaces
	// goes with them.
	removedKinds = "namespaces,customresourcedefinitions.apiextensions.k8s.io,clusterroles.rbac.authorization.k8s.io,clusterrolebindings.rbac.authorization.k8s.io"
	deleteTime   = 3 * time.Minute
	countEvery   = 5 * time.Second
)

// givenCluster is a cluster that somebody else runs. The demo adds to it and takes that away again.
type givenCluster struct {
	*demo
	program string // kubectl
	picked  string // the image

	count   map[string]int // viewers that run, by office
	counted time.Time      // when that was asked
}

func (g *givenCluster) headline() string {
	return fmt.Sprintf("the cluster of context %s, %d viewers in two namespaces", g.opts.cluster, g.opts.viewers)
}

func (g *givenCluster) kubectl() []string { return []string{g.program, "--context", g.opts.cluster} }

func (g *givenCluster) image() string { return g.picked }

func (g *givenCluster) hint() string {
	return fmt.Sprintf("kubectl --context %s get p2pstreams -A -o wide", g.opts.cluster)
}

// namespace is our own: the sample's may be somebody's.
func (g *givenCluster) namespace() string { return demoNamespace }

func (g *givenCluster) begin(ctx context.Context, left *entry) error {
	var err error
	if g.program, err = exec.LookPath("kubectl"); err != nil {
		return withNext(errors.New("kubectl is not in the PATH"), "install kubectl, or run make demo without CLUSTER")
	}
	if err := g.demo.begin(ctx, left, func(ctx context.Context) error { return g.removeRun(ctx, left.Run) }); err != nil {
		return err
	}
	return g.ui.step(ctx, "looking at the cluster", func(ctx context.Context, a *activity) error {
		if _, err := g.kube(ctx, a, 30*time.Second, "get", "--raw", "/readyz"); err != nil {
			return withNext(err, "check that kubectl --context %s get nodes works", g.opts.cluster)
		}
		if err := g.refuseForeign(ctx, a); err != nil {
			return err
		}
		if err := g.pickImage(ctx, a); err != nil {
			return err
		}
		return g.made()
	})
}

// refuseForeign stops before anything is made when what the demo would make is there already: it
// could not tell later what was its own.
func (g *givenCluster) refuseForeign(ctx context.Context, a *activity) error {
	crd, err := g.kube(ctx, a, 30*time.Second, "get", "crd", crdName, "--ignore-not-found", "--output", "json")
	if err != nil {
		return err
	}
	if len(strings.TrimSpace(string(crd))) > 0 {
		return withNext(fmt.Errorf("the cluster already has the CustomResourceDefinition %s, so p2pstream is in use there", crdName), "%s", crdNext(crd, g.opts.cluster))
	}
	operator, err := g.operator(ctx, a)
	if err != nil {
		return err
	}
	origin, err := parseObjects(originManifest)
	if err != nil {
		return fmt.Errorf("reading the origin's manifest: %w", err)
	}
	for _, o := range foreignChecks(append(operator, origin...)) {
		out, err := g.kube(ctx, a, 30*time.Second, "get", o.kind, o.name, "--ignore-not-found", "--output", "name")
		if err != nil {
			return err
		}
		if found := strings.TrimSpace(string(out)); found != "" {
			return withNext(fmt.Errorf("the cluster already has %s, which the demo would make and remove", found),
				"use another cluster, or remove it if nobody needs it: kubectl --context %s delete %s", g.opts.cluster, found)
		}
	}
	return nil
}

// crdNext tells what to do about a CRD that is there.
func crdNext(crd []byte, kubeContext string) string {
	var o struct {
		Metadata struct {
			Labels map[string]string `json:"labels"`
		} `json:"metadata"`
	}
	if json.Unmarshal(crd, &o) == nil && o.Metadata.Labels[runLabel] != "" {
		selector := runLabel + "=" + o.Metadata.Labels[runLabel]
		return fmt.Sprintf("another demo made it, from another machine or user; if that one is gone, remove what it left: kubectl --context %s delete %s -l %s",
			kubeContext, removedKinds, selector)
	}
	return fmt.Sprintf("use another cluster or make demo without CLUSTER; where nobody uses p2pstream any more: kubectl --context %s delete crd %s (this deletes every P2PStream)", kubeContext, crdName)
}

type named struct{ kind, name string }

// foreignChecks are the objects that stand outside namespaces, the namespaces of the offices included.
func foreignChecks(all []object) []named {
	var names []named
	for _, o := range all {
		if o.namespace() == "" {
			names = append(names, named{strings.ToLower(o.kind()), o.name()})
		}
	}
	for _, office := range offices {
		names = append(names, named{"namespace", officeNamespace(office)})
	}
	return names
}

// pickImage takes the image that was named; without one, the local one if every node has it already.
func (g *givenCluster) pickImage(ctx context.Context, a *activity) error {
	if g.opts.image != "" {
		g.picked = g.opts.image
		return nil
	}
	raw, err := g.kube(ctx, a, 30*time.Second, "get", "nodes", "--output", "json")
	if err != nil {
		return err
	}
	lacking, err := nodesWithout(raw, localImage)
	if err != nil {
		return err
	}
	if len(lacking) > 0 {
		return withNext(fmt.Errorf("IMAGE is missing, and %s is not on %s", localImage, strings.Join(lacking, ", ")),
			"push the image (make image) to a registry that the cluster pulls from, and name it: make demo CLUSTER=%[1]s IMAGE=registry.example.com/p2pstream:dev; "+
				"where it was loaded into the nodes a moment ago: make demo CLUSTER=%[1]s IMAGE=%[2]s", g.opts.cluster, localImage)
	}
	g.picked = localImage
	return nil
}

// nodesWithout names the nodes that pods can come to and that do not have an image.
func nodesWithout(raw []byte, image string) ([]string, error) {
	var nodes nodeList
	if err := json.Unmarshal(raw, &nodes); err != nil {
		return nil, fmt.Errorf("reading the list of nodes: %w", err)
	}
	var lacking []string
	for _, n := range nodes.Items {
		has := false
		for _, i := range n.Status.Images {
			has = has || slices.Contains(i.Names, image)
		}
		if !has && !n.Spec.Unschedulable {
			lacking = append(lacking, n.Metadata.Name)
		}
	}
	if len(nodes.Items) == 0 {
		lacking = append(lacking, "any node")
	}
	return lacking, nil
}

func (g *givenCluster) startViewers(ctx context.Context, office, configURL string, viewers int, a *activity) error {
	all, err := officeObjects(officeNamespace(office), configURL, viewers)
	if err != nil {
		return err
	}
	if err := g.create(ctx, a, all); err != nil {
		return err
	}
	return g.rollout(ctx, a, "deployment", "viewer", officeNamespace(office))
}

// playing asks now and then only: each time kubectl is started.
func (g *givenCluster) playing(ctx context.Context) (map[string]int, []string, error) {
	if time.Since(g.counted) < countEvery {
		return g.count, nil, nil
	}
	args := append(g.kubectl(), "get", "deployments", "--all-namespaces", "--selector", runLabel+"="+g.runID, "--output", "json")
	out, err := g.quiet.output(ctx, command{args: args, timeout: 10 * time.Second}, nil)
	if err != nil {
		return nil, nil, err
	}
	if g.count, err = readyViewers(out); err != nil {
		return nil, nil, err
	}
	g.counted = time.Now()
	return g.count, nil, nil
}

// readyViewers counts, by office, the viewers of a list of deployments that run.
func readyViewers(raw []byte) (map[string]int, error) {
	var list struct {
		Items []struct {
			Metadata struct {
				Namespace string `json:"namespace"`
			} `json:"metadata"`
			Status struct {
				ReadyReplicas int `json:"readyReplicas"`
			} `json:"status"`
		} `json:"items"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("reading the viewers' deployments: %w", err)
	}
	ready := map[string]int{}
	for _, d := range list.Items {
		if office, ok := strings.CutPrefix(d.Metadata.Namespace, demoNamespace+"-"); ok {
			ready[office] = d.Status.ReadyReplicas
		}
	}
	return ready, nil
}

// wan is not known: offices are only namespaces there.
func (g *givenCluster) wan(context.Context) (map[string]counters, error) { return nil, nil }

func (g *givenCluster) remove(ctx context.Context) error { return g.removeRun(ctx, g.runID) }

// removeRun deletes what carries the label of a run: streams go with their CRD, and what is in the
// namespaces with those.
func (g *givenCluster) removeRun(ctx context.Context, run string) error {
	selector := runLabel + "=" + run
	_, err := g.kube(ctx, nil, deleteTime+time.Minute, "delete", removedKinds, "--selector", selector,
		"--ignore-not-found", "--timeout="+deleteTime.String())
	return withNext(err, "remove the rest yourself: kubectl --context %s delete %s -l %s", g.opts.cluster, removedKinds, selector)
}
