package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// namespaces answers for the labels of namespaces.
type namespaces struct {
	client.Reader
	labels map[string]map[string]string
	err    error
}

func (n *namespaces) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	if n.err != nil {
		return n.err
	}
	o.SetLabels(n.labels[key.Name])
	return nil
}

// TestAnAPIServerThatFailsAdmitsAndRefusesNoOne: streams keep their places while labels cannot be read, and none gets one.
func TestAnAPIServerThatFailsAdmitsAndRefusesNoOne(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 1, 2, 8, 0, 0, 0, time.UTC)
	api := &namespaces{labels: map[string]map[string]string{"video": {"ecdn": "yes"}, "games": {}}}
	labels := &namespaceLabels{live: api, now: func() time.Time { return clock }}
	network := &v1.P2PNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: "ecdn", Name: "corp"}, Spec: v1.P2PNetworkSpec{Streams: &v1.NetworkStreamsSpec{
		Namespaces: &v1.NetworkNamespaces{From: v1.NamespacesFromSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"ecdn": "yes"}}}}}}
	in := func(namespace string) *v1.P2PStream {
		return &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "live", UID: "u"},
			Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "https://origin.example.com/m.m3u8"}, NetworkRef: &v1.NetworkReference{Name: "corp", Namespace: "ecdn"}}}
	}
	admitted := func(streams ...*v1.P2PStream) (names []string, err error) {
		a, err := admit(network, streams, Key("a key of the tests, 32 bytes or more"), nil, clock, func(namespace string) (map[string]string, error) {
			return labels.of(t.Context(), namespace)
		})
		for _, s := range a.attached {
			names = append(names, s.Namespace)
		}
		return names, err
	}
	if names, err := admitted(in("video"), in("games")); err != nil || len(names) != 1 || names[0] != "video" {
		t.Fatalf("%v %v", names, err)
	}
	clock = clock.Add(time.Hour)
	for _, err := range []error{apierrors.NewTooManyRequests("later", 1), apierrors.NewInternalError(errors.New("etcd")), context.DeadlineExceeded} {
		api.err = err
		clock = clock.Add(labelsEvery)
		if names, err := admitted(in("video"), in("games")); err != nil || len(names) != 1 || names[0] != "video" {
			t.Errorf("after %v: %v %v", api.err, names, err)
		}
		if names, err := admitted(in("video"), in("new")); !errors.Is(err, errLabelsUnknown) {
			t.Errorf("after %v, a namespace that is not known: %v %v", api.err, names, err)
		}
	}
	// What the API server does say counts.
	for _, err := range []error{apierrors.NewForbidden(schema.GroupResource{Resource: "namespaces"}, "video", errors.New("no role")), apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "video")} {
		api.err = err
		clock = clock.Add(labelsEvery)
		if names, err := admitted(in("video"), in("new")); err != nil || len(names) != 0 {
			t.Errorf("after %v: %v %v", api.err, names, err)
		}
	}
	api.err, api.labels["video"] = nil, nil
	clock = clock.Add(labelsEvery)
	if names, err := admitted(in("video")); err != nil || len(names) != 0 {
		t.Errorf("without its label: %v %v", names, err)
	}
}

// TestANetworkThatIsDeletedAdmitsNoOneNew, also no stream that another network has accepted: it would wait for that one too.
func TestANetworkThatIsDeletedAdmitsNoOneNew(t *testing.T) {
	t.Parallel()
	gone := metav1.Now()
	network := &v1.P2PNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: "ecdn", Name: "corp", DeletionTimestamp: &gone}}
	stream := func(name, message string) *v1.P2PStream {
		s := &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Namespace: "ecdn", Name: name, UID: "u"},
			Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "https://origin.example.com/m.m3u8"}, NetworkRef: &v1.NetworkReference{Name: "corp"}}}
		if message != "" {
			s.Status.Conditions = []metav1.Condition{{Type: v1.ConditionAccepted, Status: metav1.ConditionTrue, Reason: v1.ReasonAccepted, Message: message}}
		}
		return s
	}
	a, err := admit(network, []*v1.P2PStream{stream("stays", "The stream uses network ecdn/corp"), stream("moves", "The stream uses network ecdn/other"),
		stream("prefix", "The stream uses network ecdn/corp2"), stream("new", "")}, Key("a key of the tests, 32 bytes or more"), nil, gone.Time, nil)
	if err != nil || len(a.attached) != 1 || a.attached[0].Name != "stays" || len(a.refused) != 3 {
		t.Errorf("%d attached, refused: %v, %v", len(a.attached), a.refused, err)
	}
}

// TestATableFitsIntoItsTracker, whatever teams write into their streams: one that does not would change for no one any more.
func TestATableFitsIntoItsTracker(t *testing.T) {
	t.Parallel()
	network := &v1.P2PNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: "ecdn", Name: "corp"}}
	began := time.Date(2026, 1, 2, 8, 0, 0, 0, time.UTC)
	long := func(i, paths int) *v1.P2PStream {
		s := &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Namespace: "ecdn", Name: fmt.Sprint("s", i), UID: "u", CreationTimestamp: metav1.NewTime(began.Add(time.Duration(i) * time.Second))},
			Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "https://origin.example.com/m.m3u8"}, NetworkRef: &v1.NetworkReference{Name: "corp"}}}
		for j := range paths {
			s.Spec.Source.SignedPaths = append(s.Spec.Source.SignedPaths, v1.SignedPath(fmt.Sprintf("/%02d*%s", j, strings.Repeat("&", 1020)))) // six bytes each in JSON
		}
		if errs := s.Validate(); len(errs) > 0 {
			t.Fatal(errs)
		}
		return s
	}
	key := Key("a key of the tests, 32 bytes or more")
	decided := func(streams []*v1.P2PStream) admission {
		a, err := admit(network, streams, key, nil, began, nil)
		if err != nil {
			t.Fatal(err)
		}
		made, err := tableOf(a.entries)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := table.Parse(made.Body, table.Rules{}); err != nil {
			t.Errorf("%d streams in %d bytes: %v", len(a.entries), len(made.Body), err)
		}
		return a
	}
	streams := []*v1.P2PStream{long(0, 16)}
	for i := range 400 {
		streams = append(streams, long(i+1, 8))
	}
	a := decided(streams)
	if p := a.refused[client.ObjectKeyFromObject(streams[0])]; p == nil || p.Reason != v1.ReasonInvalidSpec || !strings.Contains(p.Message, "signedPaths") {
		t.Errorf("a stream that is too long by itself: %+v", p)
	}
	if p := a.refused[client.ObjectKeyFromObject(streams[400])]; p == nil || p.Reason != v1.ReasonNetworkFull || len(a.attached) < 300 {
		t.Errorf("the stream for which there is no room: %+v, %d attached", p, len(a.attached))
	}
	streams = nil
	for i := range v1.MaxStreamsPerNetwork {
		streams = append(streams, long(i, 0))
	}
	if a := decided(streams); len(a.attached) != v1.MaxStreamsPerNetwork {
		t.Errorf("%d of %d streams of usual length are attached", len(a.attached), len(streams))
	}
}
