package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// watchAgain is the pause before a watch that has ended is started again.
const watchAgain = time.Second

// watched is what a watcher watches.
type watched interface{ v1.P2PStream | v1.P2PNetwork }

// watcher holds the latest state of an object, read with `kubectl get --watch`.
type watcher[T watched] struct {
	what    string // such as "stream town-hall", for messages
	mu      sync.Mutex
	object  *T
	trouble error
	changed chan struct{} // closed and replaced at every change
}

// watch watches until ctx ends; work is done once kubectl has ended. Resource is such as crdName.
func watch[T watched](ctx context.Context, work *sync.WaitGroup, kubectl []string, what, resource, namespace, name string) *watcher[T] {
	w := &watcher[T]{what: what + " " + name, changed: make(chan struct{})}
	args := append(append([]string{}, kubectl...),
		"get", resource, name, "--namespace", namespace, "--watch", "--output", "json")
	work.Go(func() {
		for ctx.Err() == nil {
			err := w.run(ctx, args)
			if ctx.Err() == nil {
				w.set(nil, fmt.Errorf("watching %s: %w", w.what, err))
			}
			select {
			case <-ctx.Done():
			case <-time.After(watchAgain):
			}
		}
	})
	return w
}

func (w *watcher[T]) run(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	ownGroup(cmd)
	cmd.Cancel = func() error { return signalGroup(cmd, false) }
	cmd.WaitDelay = stopGrace
	lines := &lineWriter{each: func(string) {}}
	cmd.Stderr = lines
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("making a pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting kubectl: %w", err)
	}
	readErr := w.follow(out)
	_, _ = io.Copy(io.Discard, out) // after a decoding error, so that kubectl does not block on a full pipe
	err = errors.Join(readErr, cmd.Wait())
	if err == nil {
		err = errors.New("the API server closed it")
	}
	for _, line := range lines.end() {
		err = fmt.Errorf("%w; %s", err, line)
	}
	return err
}

// follow reads JSON documents.
func (w *watcher[T]) follow(r io.Reader) error {
	d := json.NewDecoder(r)
	for {
		object := new(T)
		err := d.Decode(object)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the output of kubectl: %w", err)
		}
		w.set(object, nil)
	}
}

// set stores a newer state; after an error the last state stays, so that there is something to show.
func (w *watcher[T]) set(object *T, trouble error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if object != nil {
		w.object = object
	}
	w.trouble = trouble
	close(w.changed)
	w.changed = make(chan struct{})
}

// latest returns the last known state, a channel that is closed at the next change, and the error that
// prevents updates, if any.
func (w *watcher[T]) latest() (object *T, changed <-chan struct{}, trouble error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.object, w.changed, w.trouble
}

// await waits until missing, which describes what the stream still lacks, returns an empty string.
func (w *watcher[T]) await(ctx context.Context, a *activity, missing func(*T) string) error {
	last := w.what + " has not been read yet"
	for {
		object, changed, trouble := w.latest()
		if object != nil {
			if last = missing(object); last == "" {
				return nil
			}
		}
		if trouble != nil {
			last = trouble.Error()
		}
		a.say(last)
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w: %s", w.what, context.Cause(ctx), last)
		}
	}
}

// notServing describes why viewers cannot start yet; empty: they can.
func notServing(s *v1.P2PStream) string {
	for _, kind := range []string{v1.ConditionReady, v1.ConditionPeerable, v1.ConditionSeedersReady} {
		c := meta.FindStatusCondition(s.Status.Conditions, kind)
		if c == nil {
			return "the operator has not written the condition " + kind + " yet"
		}
		if c.Status != "True" {
			return fmt.Sprintf("%s is %s: %s: %s", kind, c.Status, c.Reason, c.Message)
		}
	}
	if s.Status.Endpoints == nil || s.Status.Endpoints.Config == "" || s.Status.Endpoints.Player == "" {
		return "status.endpoints has no config and player URL yet"
	}
	return ""
}

// conditionNotes describe conditions that report a problem, and why figures are unknown.
func conditionNotes(conditions []metav1.Condition) []string {
	var notes []string
	for _, c := range conditions {
		bad := c.Status == "False"
		if c.Type == v1.ConditionStalled || c.Type == v1.ConditionReconciling {
			bad = c.Status == "True" && c.Type == v1.ConditionStalled
		}
		if bad {
			notes = append(notes, fmt.Sprintf("%s is %s: %s: %s", c.Type, c.Status, c.Reason, c.Message))
		}
		if c.Type == v1.ConditionTelemetryFresh && c.Status == "Unknown" {
			notes = append(notes, "VIEWERS and OFFLOAD are not known yet: "+c.Message)
		}
	}
	return notes
}

// conditionLines describe all conditions.
func conditionLines(conditions []metav1.Condition) []string {
	lines := make([]string, 0, len(conditions))
	for _, c := range conditions {
		lines = append(lines, fmt.Sprintf("%s is %s: %s: %s", c.Type, c.Status, c.Reason, c.Message))
	}
	return lines
}

// rowOf is the row that `kubectl get` prints for the stream.
func rowOf(s *v1.P2PStream, now time.Time) row {
	r := row{namespace: s.Namespace, name: s.Name, age: now.Sub(s.CreationTimestamp.Time)}
	if c := meta.FindStatusCondition(s.Status.Conditions, v1.ConditionReady); c != nil {
		r.ready = string(c.Status)
	}
	if s.Status.Swarm != nil {
		r.viewers, r.seeders = s.Status.Swarm.Viewers, s.Status.Swarm.Seeders
	}
	if s.Status.Offload != nil {
		r.offload = s.Status.Offload.Percent
	}
	return r
}
