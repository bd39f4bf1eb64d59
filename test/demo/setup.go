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

// setUp starts everything, the viewers last, and returns a watch on the stream, which ends with ctx.
func (d *demo) setUp(ctx context.Context, left *entry) (*watcher, error) {
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
	stream, err := d.createStream(ctx, source)
	if err != nil {
		return nil, err
	}
	w := watchStream(ctx, &d.background, d.place.kubectl(), stream.Namespace, stream.Name)
	if err := d.ui.step(ctx, "waiting for the stream", func(ctx context.Context, a *activity) error { return d.awaitStream(ctx, a, w, stream) }); err != nil {
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
	if _, err := d.kube(ctx, a, time.Minute, "wait", "--for", "condition=Established", "crd/"+crdName); err != nil {
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

// deployOrigin deploys the origin and returns the URL of its stream. The URL has a node's address, because
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
	return "http://" + hostPort(address, port) + "/live/master.m3u8", nil
}

// createStream creates the sample's stream, or the user's own, and shows which fields it changed.
func (d *demo) createStream(ctx context.Context, source string) (*v1.P2PStream, error) {
	name, namespace := d.opts.file, demoNamespace
	if name == "" {
		name, namespace = samplePath, d.place.namespace()
	}
	manifest, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the stream: %w", err)
	}
	stream, changes, err := prepareStream(manifest, namespace, source)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	ranges, err := d.place.ranges(ctx)
	if err != nil {
		return nil, err
	}
	changes = append(changes, placeOffices(stream, ranges)...)
	doc, err := streamObject(stream)
	if err != nil {
		return nil, err
	}
	all := []object{doc}
	if stream.Namespace != demoNamespace || source == "" {
		all = []object{namespaceObject(stream.Namespace), doc}
	}
	err = d.ui.step(ctx, "creating the stream "+stream.Name, func(ctx context.Context, a *activity) error {
		return withNext(d.create(ctx, a, all), "fix what the message names in %s, then run the demo again", name)
	})
	if err != nil {
		return nil, err
	}
	d.ui.print("      %s, %s\n", name, changed(len(changes)))
	for _, c := range changes {
		d.ui.print("        %s\n", c)
	}
	return stream, nil
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

func (d *demo) awaitStream(ctx context.Context, a *activity, w *watcher, stream *v1.P2PStream) error {
	waiting, cancel := context.WithTimeoutCause(ctx, servingTime, fmt.Errorf("not done after %s", servingTime))
	defer cancel()
	err := w.await(waiting, a, notServing)
	if err == nil || ctx.Err() != nil {
		return err
	}
	text := ""
	if seen, _, _ := w.latest(); seen != nil {
		text = "\n  conditions of the stream\n    " + strings.Join(conditionLines(seen), "\n    ")
	}
	// The whole description is written to the log; the message shows the most useful parts.
	_ = d.explain(ctx, []string{"describe", "p2pstream", stream.Name, "--namespace", stream.Namespace})
	return withNext(fmt.Errorf("%w%s%s", err, text, d.explain(ctx,
		[]string{"get", "pods", "--namespace", stream.Namespace, "--output", "wide"},
		[]string{"get", "events", "--namespace", stream.Namespace, "--field-selector", "type=Warning", "--sort-by", ".lastTimestamp"},
		[]string{"logs", "--namespace", "p2pstream-system", "deployment/p2pstream-manager", "--tail", "5"},
	)), "see the conditions above; the output of kubectl describe is in %s", d.logPath)
}

func (d *demo) startViewers(ctx context.Context, a *activity, w *watcher) error {
	stream, _, _ := w.latest()
	for i, n := range share(d.opts.viewers) {
		a.say(offices[i])
		if err := d.place.startViewers(ctx, offices[i], stream.Status.Endpoints.Config, n, a); err != nil {
			return err
		}
	}
	return nil
}
