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

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// watchAgain is the pause before a watch that ended is begun again.
const watchAgain = time.Second

// watcher knows the stream as the API server last showed it, through one `kubectl get --watch`.
type watcher struct {
	mu      sync.Mutex
	stream  *v1.P2PStream
	trouble error
	changed chan struct{} // closed and replaced at every change
}

// watchStream watches until ctx ends; work ends once kubectl is gone.
func watchStream(ctx context.Context, work *sync.WaitGroup, kubectl []string, namespace, name string) *watcher {
	w := &watcher{changed: make(chan struct{})}
	args := append(append([]string{}, kubectl...),
		"get", "p2pstreams.p2pstream.dev", name, "--namespace", namespace, "--watch", "--output", "json")
	work.Go(func() {
		for ctx.Err() == nil {
			err := w.once(ctx, args)
			if ctx.Err() == nil {
				w.set(nil, fmt.Errorf("watching the stream: %w", err))
			}
			select {
			case <-ctx.Done():
			case <-time.After(watchAgain):
			}
		}
	})
	return w
}

func (w *watcher) once(ctx context.Context, args []string) error {
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
	_, _ = io.Copy(io.Discard, out) // a decoder that gave up must not leave kubectl writing to nobody
	err = errors.Join(readErr, cmd.Wait())
	if err == nil {
		err = errors.New("the API server ended it")
	}
	for _, line := range lines.end() {
		err = fmt.Errorf("%w; %s", err, line)
	}
	return err
}

// follow reads one document after the other.
func (w *watcher) follow(r io.Reader) error {
	d := json.NewDecoder(r)
	for {
		stream := &v1.P2PStream{}
		err := d.Decode(stream)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading what kubectl prints: %w", err)
		}
		w.set(stream, nil)
	}
}

// set takes a newer state; after trouble the last state stays, as something to show.
func (w *watcher) set(stream *v1.P2PStream, trouble error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if stream != nil {
		w.stream = stream
	}
	w.trouble = trouble
	close(w.changed)
	w.changed = make(chan struct{})
}

// latest returns what is known now, what keeps newer news away, and a channel that is closed at the
// next change.
func (w *watcher) latest() (stream *v1.P2PStream, changed <-chan struct{}, trouble error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stream, w.changed, w.trouble
}

// await waits until the stream is as wanted. missing names what is not, and is empty when nothing is.
func (w *watcher) await(ctx context.Context, a *activity, missing func(*v1.P2PStream) string) error {
	last := "it has not been seen yet"
	for {
		stream, changed, trouble := w.latest()
		if stream != nil {
			if last = missing(stream); last == "" {
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
			return fmt.Errorf("waiting for the stream: %w: %s", context.Cause(ctx), last)
		}
	}
}

// servesNot says what keeps viewers from starting.
func servesNot(s *v1.P2PStream) string {
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

// conditionNotes tell what is not as it should be, and why figures are not known.
func conditionNotes(s *v1.P2PStream) []string {
	var notes []string
	for _, c := range s.Status.Conditions {
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

// conditionLines tell all that the operator says of a stream.
func conditionLines(s *v1.P2PStream) []string {
	lines := make([]string, 0, len(s.Status.Conditions))
	for _, c := range s.Status.Conditions {
		lines = append(lines, fmt.Sprintf("%s is %s: %s: %s", c.Type, c.Status, c.Reason, c.Message))
	}
	return lines
}

// rowOf is the line that kubectl would print for the stream.
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
