package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/controllers"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// clock is one that tests turn.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// mortal is a client whose writes of status a test counts, and may have fail before or after they happen.
type mortal struct {
	client.Client
	writes int
	// before and after are asked at each write of a status; nil lets it happen.
	before, after func() error
}

// List asks the API server by label for what a cache would be asked for by index.
func (m *mortal) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	o := (&client.ListOptions{}).ApplyOptions(opts)
	if o.FieldSelector != nil {
		name, found := o.FieldSelector.RequiresExactMatch(controllers.StreamField)
		if !found {
			return fmt.Errorf("no index for %s", o.FieldSelector)
		}
		o.FieldSelector, o.LabelSelector = nil, labels.SelectorFromSet(labels.Set{plan.LabelStream: name})
	}
	return m.Client.List(ctx, list, o)
}

func (m *mortal) Status() client.SubResourceWriter { return &mortalStatus{m.Client.Status(), m} }

type mortalStatus struct {
	client.SubResourceWriter
	m *mortal
}

func (s *mortalStatus) Apply(ctx context.Context, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
	if s.m.before != nil {
		if err := s.m.before(); err != nil {
			return err
		}
	}
	if err := s.SubResourceWriter.Apply(ctx, obj, opts...); err != nil {
		return err
	}
	s.m.writes++
	if s.m.after != nil {
		return s.m.after()
	}
	return nil
}

var errKilled = errors.New("the operator was killed")

// hand is an operator that runs only when a test says so, by a clock of the test's.
type hand struct {
	w       *world
	clock   *clock
	client  *mortal
	request ctrl.Request
	*controllers.Reconciler
}

// byHand returns one for a stream of the world, without a cache.
func (w *world) byHand(name string, c *clock) *hand {
	h := &hand{w: w, clock: c, client: &mortal{Client: w.Client}}
	h.request.Namespace, h.request.Name = w.ns, name
	h.revive()
	return h
}

// revive starts the operator anew: whatever it remembered is gone.
func (h *hand) revive() {
	h.w.asker.Now = h.clock.Now
	h.Reconciler = controllers.NewReconciler(controllers.Options{Client: h.client, Live: h.w.Client, Events: &events.FakeRecorder{}, Poll: h.w.asker, Image: image, Now: h.clock.Now})
}

// run reconciles once, and once more for answers of trackers that are due.
func (h *hand) run(ctx context.Context) error {
	for {
		if _, err := h.Reconcile(ctx, h.request); err != nil {
			return err
		}
		if h.AskDue(ctx) == 0 {
			return nil
		}
	}
}

// settle runs until the stream is Current, half a second a time.
func (h *hand) settle(t *testing.T) {
	t.Helper()
	if !h.w.eventually(func() bool {
		h.clock.turn(500 * time.Millisecond)
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return current(h.w.get(h.request.Name))
	}) {
		t.Fatalf("it does not settle: %+v", h.w.get(h.request.Name).Status.Conditions)
	}
}
