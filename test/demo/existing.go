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
	crdName        = "p2pstreams.p2pstream.dev"
	networkCRDName = "p2pnetworks.p2pstream.dev"
	// localImage is what `make image` names the image of a checkout.
	localImage = "localhost/p2pstream:dev"
	// removedKinds are the cluster-scoped kinds that a run creates. Namespaced objects are deleted with
	// their namespace.
	removedKinds = "namespaces,customresourcedefinitions.apiextensions.k8s.io,clusterroles.rbac.authorization.k8s.io,clusterrolebindings.rbac.authorization.k8s.io"
	deleteTime   = 3 * time.Minute
	countEvery   = 5 * time.Second
)

// existingCluster is a cluster that the user already has. The demo adds objects to it and deletes them at the end.
type existingCluster struct {
	*demo
	program string // kubectl
	picked  string // the image

	count   map[string]int // running viewers by office
	counted time.Time      // when they were counted
}

func (e *existingCluster) headline() string {
	return fmt.Sprintf("the cluster of context %s, %s, %d viewers in two namespaces, one for each office", e.opts.cluster, e.opts.scenery(), e.opts.viewers)
}

func (e *existingCluster) opening() []string {
	return []string{"time", "about one minute, plus the time that the nodes need to pull " + imageOr(e.opts.image)}
}

func imageOr(image string) string {
	if image == "" {
		return "the image"
	}
	return image
}

// steps are those of setUp and of begin.
func (e *existingCluster) steps() int { return setUpSteps(e.opts) + 1 }

func (e *existingCluster) kubectl() []string { return []string{e.program, "--context", e.opts.cluster} }

func (e *existingCluster) image() string { return e.picked }

func (e *existingCluster) hint() string {
	return fmt.Sprintf("kubectl --context %s get p2pstreams,p2pnetworks -A", e.opts.cluster)
}

// namespace is the demo's own: those that the manifest names may be in use.
func (e *existingCluster) namespace() string { return demoNamespace }

func (e *existingCluster) begin(ctx context.Context, left *entry) error {
	var err error
	if e.program, err = exec.LookPath("kubectl"); err != nil {
		return withNext(errors.New("kubectl is not on the PATH"), "install kubectl, or run make demo without CLUSTER")
	}
	if err := e.demo.begin(ctx, left, func(ctx context.Context) error { return e.removeRun(ctx, left.Run) }); err != nil {
		return err
	}
	return e.ui.step(ctx, "checking the cluster", func(ctx context.Context, a *activity) error {
		if _, err := e.kube(ctx, a, 30*time.Second, "get", "--raw", "/readyz"); err != nil {
			return withNext(err, "check that kubectl --context %s get nodes works", e.opts.cluster)
		}
		if err := e.refuseForeign(ctx, a); err != nil {
			return err
		}
		if err := e.pickImage(ctx, a); err != nil {
			return err
		}
		return e.made()
	})
}

// refuseForeign fails, before anything is created, when an object that the demo would create exists
// already: the demo could not tell later which objects are its own.
func (e *existingCluster) refuseForeign(ctx context.Context, a *activity) error {
	crd, err := e.kube(ctx, a, 30*time.Second, "get", "crd", crdName, "--ignore-not-found", "--output", "json")
	if err != nil {
		return err
	}
	if len(strings.TrimSpace(string(crd))) > 0 {
		return withNext(fmt.Errorf("the cluster already has the CustomResourceDefinition %s: p2pstream is installed there", crdName), "%s", crdNext(crd, e.opts.cluster))
	}
	operator, err := e.operator(ctx, a)
	if err != nil {
		return err
	}
	origin, err := parseObjects(originManifest)
	if err != nil {
		return fmt.Errorf("reading the origin's manifest: %w", err)
	}
	for _, o := range foreignChecks(append(operator, origin...)) {
		out, err := e.kube(ctx, a, 30*time.Second, "get", o.kind, o.name, "--ignore-not-found", "--output", "name")
		if err != nil {
			return err
		}
		if found := strings.TrimSpace(string(out)); found != "" {
			return withNext(fmt.Errorf("the cluster already has %s, which the demo would create and delete", found),
				"use another cluster, or delete it if it is not in use: kubectl --context %s delete %s", e.opts.cluster, found)
		}
	}
	return nil
}

// crdNext is the advice for a CRD that exists already.
func crdNext(crd []byte, kubeContext string) string {
	var o struct {
		Metadata struct {
			Labels map[string]string `json:"labels"`
		} `json:"metadata"`
	}
	if json.Unmarshal(crd, &o) == nil && o.Metadata.Labels[runLabel] != "" {
		selector := runLabel + "=" + o.Metadata.Labels[runLabel]
		return fmt.Sprintf("it was created by a demo of another machine or user; if that demo has ended, delete what it left: kubectl --context %s delete %s -l %s",
			kubeContext, removedKinds, selector)
	}
	return fmt.Sprintf("use another cluster, or run make demo without CLUSTER; if p2pstream is no longer in use there: kubectl --context %s delete crd %s (this deletes every P2PStream)", kubeContext, crdName)
}

type named struct{ kind, name string }

// foreignChecks are the cluster-scoped objects that a run creates, the namespaces of the offices included.
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

// pickImage chooses the image that pods run: the one of --image, else the local one if every node has it.
func (e *existingCluster) pickImage(ctx context.Context, a *activity) error {
	if e.opts.image != "" {
		e.picked = e.opts.image
		return nil
	}
	raw, err := e.kube(ctx, a, 30*time.Second, "get", "nodes", "--output", "json")
	if err != nil {
		return err
	}
	missing, err := nodesWithout(raw, localImage)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return withNext(fmt.Errorf("IMAGE is not set, and %s is not on %s", localImage, strings.Join(missing, ", ")),
			"push the image (make image) to a registry that the cluster pulls from, and run make demo CLUSTER=%[1]s IMAGE=registry.example.com/p2pstream:dev; "+
				"if you have just loaded it into the nodes: make demo CLUSTER=%[1]s IMAGE=%[2]s", e.opts.cluster, localImage)
	}
	e.picked = localImage
	return nil
}

// nodesWithout names the schedulable nodes that do not have an image.
func nodesWithout(raw []byte, image string) ([]string, error) {
	var nodes nodeList
	if err := json.Unmarshal(raw, &nodes); err != nil {
		return nil, fmt.Errorf("reading the list of nodes: %w", err)
	}
	var missing []string
	for _, n := range nodes.Items {
		has := false
		for _, i := range n.Status.Images {
			has = has || slices.Contains(i.Names, image)
		}
		if !has && !n.Spec.Unschedulable {
			missing = append(missing, n.Metadata.Name)
		}
	}
	if len(nodes.Items) == 0 {
		missing = append(missing, "any node")
	}
	return missing, nil
}

func (e *existingCluster) startViewers(ctx context.Context, office string, of []audience, a *activity) error {
	all, err := officeObjects(officeNamespace(office), of)
	if err != nil {
		return err
	}
	if err := e.create(ctx, a, all); err != nil {
		return err
	}
	for _, o := range all {
		if o.kind() != "Deployment" {
			continue
		}
		if err := e.rollout(ctx, a, "deployment", o.name(), officeNamespace(office)); err != nil {
			return err
		}
	}
	return nil
}

// playing starts kubectl, so it asks every countEvery at most.
func (e *existingCluster) playing(ctx context.Context) (map[string]int, []string, error) {
	if time.Since(e.counted) < countEvery {
		return e.count, nil, nil
	}
	args := append(e.kubectl(), "get", "deployments", "--all-namespaces", "--selector", runLabel+"="+e.runID, "--output", "json")
	out, err := e.quiet.output(ctx, command{args: args, timeout: 10 * time.Second}, nil)
	if err != nil {
		return nil, nil, err
	}
	if e.count, err = readyViewers(out); err != nil {
		return nil, nil, err
	}
	e.counted = time.Now()
	return e.count, nil, nil
}

// readyViewers counts the ready viewers of a list of deployments by office.
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
			ready[office] += d.Status.ReadyReplicas
		}
	}
	return ready, nil
}

// ranges are not known: the addresses of pods do not tell their namespaces.
func (e *existingCluster) ranges(context.Context) (map[string]string, error) { return nil, nil }

// wan is unknown: on an existing cluster an office is only a namespace.
func (e *existingCluster) wan(context.Context) (map[string]counters, error) { return nil, nil }

func (e *existingCluster) remove(ctx context.Context) error { return e.removeRun(ctx, e.runID) }

// removeRun deletes all objects with the label of a run: streams and networks first, other namespaced objects with their
// namespace.
func (e *existingCluster) removeRun(ctx context.Context, run string) error {
	selector := runLabel + "=" + run
	if err := e.removeNetworks(ctx, selector); err != nil {
		return err
	}
	_, err := e.kube(ctx, nil, deleteTime+time.Minute, "delete", removedKinds, "--selector", selector,
		"--ignore-not-found", "--timeout="+deleteTime.String())
	return withNext(err, "delete the rest by hand: kubectl --context %s delete %s -l %s", e.opts.cluster, removedKinds, selector)
}

// removeNetworks deletes streams and networks, which wait for their streams. Whether the operator still runs, which lets them go then,
// is not known of a run that was killed.
func (e *existingCluster) removeNetworks(ctx context.Context, selector string) error {
	out, err := e.kube(ctx, nil, 30*time.Second, "get", "crd", networkCRDName, "--selector", selector, "--ignore-not-found", "--output", "name")
	if err != nil || len(strings.TrimSpace(string(out))) == 0 {
		return err
	}
	for _, resource := range []string{crdName, networkCRDName} {
		if _, err := e.kube(ctx, nil, time.Minute, "delete", resource, "--all-namespaces", "--selector", selector, "--wait=false"); err != nil {
			return err
		}
	}
	out, err = e.kube(ctx, nil, 30*time.Second, "get", networkCRDName, "--all-namespaces", "--selector", selector,
		"--output", `jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name}{"\n"}{end}`)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(out)) {
		namespace, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		_, err := e.kube(ctx, nil, 30*time.Second, "patch", networkCRDName, name, "--namespace", namespace, "--type", "merge", "--patch", `{"metadata":{"finalizers":null}}`)
		if err != nil && !strings.Contains(err.Error(), "NotFound") {
			return err
		}
	}
	return nil
}
