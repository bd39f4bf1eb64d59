package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// setUpSteps is the number of steps of setUp, without those of place.begin.
func setUpSteps(o options) int {
	if o.file != "" {
		return 4 // no origin
	}
	return 5
}

// setUp starts everything, the viewers last, and returns a watch on what it shows, which ends with ctx.
func (d *demo) setUp(ctx context.Context, left *entry) (*watchers, error) {
	if err := d.place.begin(ctx, left); err != nil {
		return nil, err
	}
	if err := d.ui.step(ctx, "deploying the operator", d.deployOperator); err != nil {
		return nil, err
	}
	source := ""
	if d.opts.file == "" {
		err := d.ui.step(ctx, "deploying a demo origin", func(ctx context.Context, a *activity) (err error) {
			source, err = d.deployOrigin(ctx, a)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	made, err := d.createScene(ctx, source)
	if err != nil {
		return nil, err
	}
	w := d.watchScene(ctx, made)
	if err := d.ui.step(ctx, "waiting for "+made.title(), func(ctx context.Context, a *activity) error { return d.awaitScene(ctx, a, w) }); err != nil {
		return nil, err
	}
	err = d.ui.step(ctx, "starting viewers", func(ctx context.Context, a *activity) error { return d.startViewers(ctx, a, w) })
	return w, err
}

// operator returns the objects of config/default.
func (d *demo) operator(ctx context.Context, a *activity) ([]object, error) {
	manifest, err := d.kube(ctx, a, time.Minute, "kustomize", filepath.Join(d.root, overlayPath))
	if err != nil {
		return nil, err
	}
	all, err := parseObjects(manifest)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", overlayPath, err)
	}
	return all, nil
}

func (d *demo) deployOperator(ctx context.Context, a *activity) error {
	all, err := d.operator(ctx, a)
	if err != nil {
		return err
	}
	if err := d.create(ctx, a, all); err != nil {
		return err
	}
	if _, err := d.kube(ctx, a, time.Minute, "wait", "--for", "condition=Established", "crd/"+crdName, "crd/"+networkCRDName); err != nil {
		return err
	}
	for _, o := range all {
		if o.kind() == "Deployment" {
			if err := d.rollout(ctx, a, "deployment", o.name(), o.namespace()); err != nil {
				return err
			}
		}
	}
	return nil
}

// deployOrigin deploys the origin and returns its URL, which has a node's address, because
// this machine, pods and offices can all reach it.
func (d *demo) deployOrigin(ctx context.Context, a *activity) (string, error) {
	all, err := parseObjects(originManifest)
	if err != nil {
		return "", fmt.Errorf("reading the origin's manifest: %w", err)
	}
	if err := d.create(ctx, a, all); err != nil {
		return "", err
	}
	if err := d.rollout(ctx, a, "deployment", "origin", demoNamespace); err != nil {
		return "", err
	}
	raw, err := d.kube(ctx, a, time.Minute, "get", "service", "origin", "--namespace", demoNamespace, "--output", "json")
	if err != nil {
		return "", err
	}
	port, err := nodePort(raw)
	if err != nil {
		return "", err
	}
	if raw, err = d.kube(ctx, a, time.Minute, "get", "nodes", "--output", "json"); err != nil {
		return "", err
	}
	address, err := nodeAddress(raw)
	if err != nil {
		return "", err
	}
	return "http://" + hostPort(address, port), nil
}

// createScene creates the network with its streams, or the user's own stream, and shows which fields it changed.
func (d *demo) createScene(ctx context.Context, origin string) (*scene, error) {
	name, exists := networkPath, ""
	made, err := sharedScene(networkManifest, d.place.namespace(), origin)
	if d.opts.file != "" {
		name = d.opts.file
		manifest, readErr := os.ReadFile(name)
		if readErr != nil {
			return nil, fmt.Errorf("reading the stream: %w", readErr)
		}
		made, err = ownStream(manifest, demoNamespace)
	} else {
		exists = demoNamespace // the origin is in it
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	ranges, err := d.place.ranges(ctx)
	if err != nil {
		return nil, err
	}
	made.placeOffices(ranges)
	all, err := made.objects(exists)
	if err != nil {
		return nil, err
	}
	err = d.ui.step(ctx, "creating "+made.title(), func(ctx context.Context, a *activity) error {
		return withNext(d.create(ctx, a, all), "fix what the message names in %s, then run the demo again", name)
	})
	if err != nil {
		return nil, err
	}
	d.ui.print("      %s, %s\n", name, changed(len(made.changes)))
	for _, c := range made.changes {
		d.ui.print("        %s\n", c)
	}
	return made, nil
}

func changed(fields int) string {
	switch fields {
	case 0:
		return "unchanged"
	case 1:
		return "with one field changed:"
	}
	return fmt.Sprintf("with %d fields changed:", fields)
}

// watchers are those of a scene.
type watchers struct {
	network *watcher[v1.P2PNetwork] // nil: there is none
	streams []*watcher[v1.P2PStream]
}

func (d *demo) watchScene(ctx context.Context, s *scene) *watchers {
	w := &watchers{}
	if s.network != nil {
		w.network = watch[v1.P2PNetwork](ctx, &d.background, d.place.kubectl(), "network", networkCRDName, s.network.Namespace, s.network.Name)
	}
	for _, stream := range s.streams {
		w.streams = append(w.streams, watch[v1.P2PStream](ctx, &d.background, d.place.kubectl(), "stream", crdName, stream.Namespace, stream.Name))
	}
	return w
}

// awaitScene waits until viewers can start. The network is shown by its streams, which wait for it; it is read once all the same, so
// that there is something to show.
func (d *demo) awaitScene(ctx context.Context, a *activity, w *watchers) error {
	waiting, cancel := context.WithTimeoutCause(ctx, servingTime, fmt.Errorf("not done after %s", servingTime))
	defer cancel()
	if w.network != nil {
		if err := w.network.await(waiting, a, func(*v1.P2PNetwork) string { return "" }); err != nil {
			return err
		}
	}
	for _, one := range w.streams {
		err := one.await(waiting, a, notServing)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return err
		}
		return d.explainStream(ctx, err, w, one)
	}
	return nil
}

// explainStream adds to an error what is known of a stream that does not serve.
func (d *demo) explainStream(ctx context.Context, err error, w *watchers, one *watcher[v1.P2PStream]) error {
	text, namespace := "", ""
	if w.network != nil {
		if seen, _, _ := w.network.latest(); seen != nil {
			text += "\n  conditions of network " + seen.Name + "\n    " + strings.Join(conditionLines(seen.Status.Conditions), "\n    ")
			namespace = seen.Namespace
		}
	}
	var questions [][]string
	if seen, _, _ := one.latest(); seen != nil {
		text += "\n  conditions of stream " + seen.Name + "\n    " + strings.Join(conditionLines(seen.Status.Conditions), "\n    ")
		// The whole description is written to the log; the message shows the most useful parts.
		_ = d.explain(ctx, []string{"describe", "p2pstream", seen.Name, "--namespace", seen.Namespace})
		if namespace == seen.Namespace {
			namespace = ""
		}
		questions = podQuestions(seen.Namespace)
	}
	if namespace != "" {
		questions = append(questions, podQuestions(namespace)...)
	}
	questions = append(questions, []string{"logs", "--namespace", "p2pstream-system", "deployment/p2pstream-manager", "--tail", "5"})
	return withNext(fmt.Errorf("%w%s%s", err, text, d.explain(ctx, questions...)), "see the conditions above; the output of kubectl describe is in %s", d.logPath)
}

// podQuestions ask for pods of a namespace and for what went wrong in it.
func podQuestions(namespace string) [][]string {
	return [][]string{
		{"get", "pods", "--namespace", namespace, "--output", "wide"},
		{"get", "events", "--namespace", namespace, "--field-selector", "type=Warning", "--sort-by", ".lastTimestamp"},
	}
}

func (d *demo) startViewers(ctx context.Context, a *activity, w *watchers) error {
	for i, wanted := range share(d.opts.viewers, len(w.streams)) {
		a.say(offices[i])
		var of []audience
		for j, n := range wanted {
			stream, _, _ := w.streams[j].latest()
			of = append(of, audience{stream: stream.Name, configURL: stream.Status.Endpoints.Config, viewers: n})
		}
		if err := d.place.startViewers(ctx, offices[i], of, a); err != nil {
			return err
		}
	}
	return nil
}
