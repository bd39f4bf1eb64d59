package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// kube runs kubectl and returns what it prints.
func (d *demo) kube(ctx context.Context, a *activity, timeout time.Duration, args ...string) ([]byte, error) {
	return d.runner.output(ctx, command{args: append(d.place.kubectl(), args...), dir: d.root, timeout: timeout}, a)
}

// create creates objects. It fails if one exists already, so that nothing else in the cluster is changed.
func (d *demo) create(ctx context.Context, a *activity, all []object) error {
	label(all, d.runID)
	setImage(all, d.place.image())
	manifest, err := encodeObjects(all)
	if err != nil {
		return err
	}
	return d.runner.run(ctx, command{
		args: append(d.place.kubectl(), "create", "--filename", "-"), stdin: manifest, dir: d.root, timeout: time.Minute,
	}, a)
}

// rollout waits until the pods of a workload are ready. It fails, and shows why, when they are not ready in
// time or when a pod is stuck.
func (d *demo) rollout(ctx context.Context, a *activity, kind, name, namespace string) error {
	waiting, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	var watch sync.WaitGroup
	watch.Go(func() { d.watchStuck(waiting, giveUp, namespace) })
	args := append(d.place.kubectl(), "rollout", "status", kind+"/"+name, "--namespace", namespace)
	err := d.runner.run(waiting, command{args: args, dir: d.root, timeout: rolloutTime}, a)
	giveUp(nil)
	watch.Wait()
	if err == nil || ctx.Err() != nil {
		return err
	}
	return withNext(fmt.Errorf("%w%s", err, d.explain(ctx,
		[]string{"get", "pods", "--namespace", namespace, "--output", "wide"},
		[]string{"get", "events", "--namespace", namespace, "--sort-by", ".lastTimestamp"},
		[]string{"logs", "--namespace", namespace, kind + "/" + name, "--all-pods", "--prefix", "--tail", "10"},
	)), "the pods, events and logs above show the reason; %s", d.seeLog())
}

// stuckEvery is the interval at which waiting pods are checked.
const stuckEvery = 3 * time.Second

// watchStuck calls giveUp when a pod of the namespace is stuck.
func (d *demo) watchStuck(ctx context.Context, giveUp context.CancelCauseFunc, namespace string) {
	tick := time.NewTicker(stuckEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		args := append(d.place.kubectl(), "get", "pods", "--namespace", namespace, "--output", "json")
		out, err := d.quiet.output(ctx, command{args: args, dir: d.root, timeout: 10 * time.Second}, nil)
		if err != nil {
			continue // if the API server is gone, the rollout itself fails
		}
		if stuck, err := stuckPods(out); err == nil && stuck != "" {
			giveUp(errors.New(stuck))
			return
		}
	}
}

// explain returns the last lines of the output of some commands, for an error message.
func (d *demo) explain(ctx context.Context, commands ...[]string) string {
	var b strings.Builder
	for _, args := range commands {
		out, err := d.kube(ctx, nil, 20*time.Second, args...)
		if err != nil {
			continue // the first error matters; this only explains it
		}
		_, _ = d.runner.log.Write(out)
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if cut := len(lines) - explainLines; cut > 0 {
			lines = lines[cut:]
		}
		fmt.Fprintf(&b, "\n  $ kubectl %s\n    %s", strings.Join(args, " "), strings.Join(lines, "\n    "))
	}
	return b.String()
}

// explainLines is the number of lines shown of each command: the last ones, since events and logs end with the newest.
const explainLines = 25
