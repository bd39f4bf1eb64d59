package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

const (
	pollInterval = 50 * time.Millisecond
	logTail      = 15
)

// waitUntilItWorks waits for each part of the cluster, in the order in which they become ready.
func (s *State) waitUntilItWorks(ctx context.Context, step func(string, ...any)) error {
	client, err := newAPI(s.Paths().Kubeconfig())
	if err != nil {
		return err
	}
	images := make(chan error, 1)
	go func() { images <- s.loadPause(ctx) }()
	if err := s.until(ctx, plan.ControlPlane, "kube-apiserver", "to answer", func(ctx context.Context) error {
		return client.get(ctx, "/readyz", nil)
	}); err != nil {
		return err
	}
	step("API server answers on %s", s.Server())
	if err := writeFile(s.Paths().Started(), nil); err != nil {
		return err
	}
	for path, body := range s.DNSObjects() {
		if err := s.until(ctx, plan.ControlPlane, "kube-apiserver", "to accept the objects of cluster DNS", func(ctx context.Context) error {
			return client.create(ctx, path, body)
		}); err != nil {
			return err
		}
	}
	if err := <-images; err != nil {
		return s.blame(err, "n1", "containerd")
	}
	for _, n := range s.Nodes() {
		if err := s.until(ctx, n.Name, "kubelet", "to be ready", func(ctx context.Context) error { return client.nodeReady(ctx, n.Name) }); err != nil {
			return err
		}
		if err := s.until(ctx, n.Name, "kube-proxy", "to write its rules", func(ctx context.Context) error { return answers(ctx, plan.ProxyHealthURL(n)) }); err != nil {
			return err
		}
	}
	step("%d nodes are ready", s.NodeCount)
	if err := s.until(ctx, plan.ControlPlane, "coredns", "to read the cluster's Services", func(ctx context.Context) error { return answers(ctx, s.DNSReadyURL()) }); err != nil {
		return err
	}
	return s.until(ctx, plan.ControlPlane, "kube-controller-manager", "to create service accounts", func(ctx context.Context) error {
		return client.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default", nil)
	})
}

// until calls check until it succeeds, the time is over or a program has ended.
func (s *State) until(ctx context.Context, place, program, what string, check func(context.Context) error) error {
	for {
		last := check(ctx)
		if last == nil {
			return nil
		}
		for _, spec := range s.specs() {
			if name, how := s.exited(spec.Place); name != "" {
				return s.blame(fmt.Errorf("%s on %s has ended: %s", name, spec.Place, how), spec.Place, name)
			}
		}
		if gone := s.broken(); gone != "" {
			return s.blame(fmt.Errorf("the first process of %s has ended", gone), gone, "init")
		}
		select {
		case <-ctx.Done():
			cause := context.Cause(ctx)
			if errors.Is(cause, context.Canceled) {
				cause = errors.New("interrupted")
			}
			return s.blame(fmt.Errorf("%w, waiting for %s on %s %s: %w", cause, program, place, what, last), place, program)
		case <-time.After(pollInterval):
		}
	}
}

// blame adds the end of a program's log to an error.
func (s *State) blame(err error, place, program string) error {
	file := s.Paths().Log(place, program)
	data, readErr := os.ReadFile(file)
	if readErr != nil {
		return err
	}
	lines := slices.Collect(strings.Lines(string(data)))
	lines = lines[max(0, len(lines)-logTail):]
	return fmt.Errorf("%w\nlast lines of %s:\n%s", err, file, strings.Join(lines, ""))
}

func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("asking %s: %w", url, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}

// loadPause loads the pause image, which every pod needs, into each node as soon as its containerd answers.
func (s *State) loadPause(ctx context.Context) error {
	for _, n := range s.Nodes() {
		for {
			_, err := importArchive(ctx, s.Paths(), n, pauseArchive(s.Paths()))
			if err == nil {
				break
			}
			if ctx.Err() != nil || s.broken() != "" {
				return fmt.Errorf("loading the pause image on %s: %w", n.Name, err)
			}
			time.Sleep(pollInterval)
		}
	}
	return nil
}
