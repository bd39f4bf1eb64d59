//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

func condition(kind, status, reason string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionStatus(status), Reason: reason, Message: "m"}
}

func serving() *v1.P2PStream {
	s := &v1.P2PStream{}
	s.Namespace, s.Name = "media", "town-hall"
	s.CreationTimestamp = metav1.NewTime(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	s.Status.Conditions = []metav1.Condition{
		condition(v1.ConditionReady, "True", "Serving"), condition(v1.ConditionReconciling, "False", "Serving"),
		condition(v1.ConditionPeerable, "True", "Shareable"), condition(v1.ConditionSeedersReady, "True", "Available"),
	}
	s.Status.Endpoints = &v1.EndpointsStatus{Config: "http://n/v1/config", Player: "http://n/player"}
	s.Status.Swarm = &v1.SwarmStatus{Viewers: ptr(6), Seeders: ptr(2)}
	s.Status.Offload = &v1.OffloadStatus{Percent: ptr(97)}
	return s
}

func TestNotServing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*v1.P2PStream)
		want   string
	}{
		"all is there":  {func(*v1.P2PStream) {}, ""},
		"no conditions": {func(s *v1.P2PStream) { s.Status.Conditions = nil }, "condition Ready yet"},
		"not ready":     {func(s *v1.P2PStream) { s.Status.Conditions[0] = condition("Ready", "False", "ImagePullFailed") }, "Ready is False: ImagePullFailed: m"},
		"seeders behind": {func(s *v1.P2PStream) { s.Status.Conditions[3] = condition("SeedersReady", "False", "BehindLiveEdge") },
			"SeedersReady is False: BehindLiveEdge"},
		"no address": {func(s *v1.P2PStream) { s.Status.Endpoints.Config = "" }, "status.endpoints"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serving()
			tt.change(s)
			if got := notServing(s); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("notServing = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRowAndNotes(t *testing.T) {
	t.Parallel()
	s := serving()
	r := rowOf(s, s.CreationTimestamp.Add(75*time.Second))
	r.want = 6
	if got := verdict(picture{streams: []row{r}}); len(got) != 0 || r.age != 75*time.Second || *r.seeders != 2 || r.namespace != "media" || r.name != "town-hall" {
		t.Errorf("rowOf = %+v, verdict %v", r, got)
	}
	if got := rowOf(&v1.P2PStream{}, time.Time{}); got.ready != "" || got.viewers != nil || got.offload != nil {
		t.Errorf("rowOf an empty stream = %+v", got)
	}
	if got := conditionNotes(s.Status.Conditions); len(got) != 0 {
		t.Errorf("conditionNotes = %v, want none", got)
	}
	s.Status.Conditions = append(s.Status.Conditions, condition(v1.ConditionStalled, "True", "SecretNotFound"),
		condition(v1.ConditionTelemetryFresh, "Unknown", "NoViewers"), condition(v1.ConditionSTUNReady, "False", "Unavailable"))
	if got := strings.Join(conditionNotes(s.Status.Conditions), "|"); got != "Stalled is True: SecretNotFound: m|VIEWERS and OFFLOAD are not known yet: m|STUNReady is False: Unavailable: m" {
		t.Errorf("conditionNotes = %s", got)
	}
}

// fakeKubectl is a script that stands for kubectl and its first arguments.
func fakeKubectl(t *testing.T, script string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubectl")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return []string{path}
}

const streamJSON = `{"kind": "P2PStream", "metadata": {"name": "town-hall"}, "status": {"swarm": {"viewers": 6}, "somethingNew": 1}}`

func TestWatcherFollows(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	// Two documents in one write, as a busy pipe gives them; then it stays open, as a watch does.
	var work sync.WaitGroup
	w := watch[v1.P2PStream](ctx, &work, fakeKubectl(t, "echo '{\"kind\": \"P2PStream\", \"metadata\": {\"name\": \"old\"}}"+streamJSON+"'\nexec sleep 60\n"), "stream", crdName, "media", "town-hall")
	err := w.await(ctx, &activity{}, func(s *v1.P2PStream) string {
		if s.Name != "town-hall" {
			return "another one"
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	stream, _, trouble := w.latest()
	if *stream.Status.Swarm.Viewers != 6 || trouble != nil {
		t.Errorf("latest = %+v, %v", stream.Status, trouble)
	}
	cancel()
	work.Wait()
}

func TestWatcherTellsTrouble(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	var work sync.WaitGroup
	w := watch[v1.P2PStream](ctx, &work, fakeKubectl(t, "echo '"+streamJSON+"'\necho connection refused >&2\nexit 1\n"), "stream", crdName, "media", "town-hall")
	for {
		stream, changed, trouble := w.latest()
		if stream != nil && trouble != nil {
			if !strings.Contains(trouble.Error(), "connection refused") {
				t.Errorf("trouble = %v", trouble)
			}
			break
		}
		<-changed
	}
	patience := errors.New("patience is over")
	cancel(patience)
	err := w.await(ctx, &activity{}, func(*v1.P2PStream) string { return "Ready is False" })
	if !errors.Is(err, patience) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("await = %v, want the reason and what was last known", err)
	}
	work.Wait()
}
