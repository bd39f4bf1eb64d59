package controllers

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// gatewayServer answers reads of Gateways.
type gatewayServer struct {
	client.Reader
	asked atomic.Int32
	get   func(ctx context.Context, name string) error
}

func (s *gatewayServer) Get(ctx context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	s.asked.Add(1)
	return s.get(ctx, key.Name)
}

// behind is a stream whose tracker is behind Gateways.
func behind(names ...string) *v1.P2PStream {
	s := &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "live"}, Spec: v1.P2PStreamSpec{
		Tracker: &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureGateway, Gateway: &v1.GatewaySettings{}}}}}
	for _, name := range names {
		s.Spec.Tracker.Exposure.Gateway.ParentRefs = append(s.Spec.Tracker.Exposure.Gateway.ParentRefs, v1.GatewayReference{Name: v1.GatewayName(name)})
	}
	return s
}

// TestAGatewayThatIsNotReadHoldsUpNoOtherStream, and its own stream not for ever.
func TestAGatewayThatIsNotReadHoldsUpNoOtherStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateways{now: time.Now, live: &gatewayServer{get: func(ctx context.Context, name string) error {
			if name == "hangs" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}}}
		done := make(chan time.Duration)
		go func() {
			began := time.Now()
			if known := g.of(t.Context(), behind("hangs")); len(known) > 0 {
				t.Errorf("known after a read that hung: %v", known)
			}
			done <- time.Since(began)
		}()
		synctest.Wait()
		began := time.Now()
		if known := g.of(t.Context(), behind("public")); len(known) != 1 {
			t.Errorf("known: %v", known)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("another stream waited %s", waited)
		}
		if took := <-done; took != classesTimeout {
			t.Errorf("its own stream waited %s", took)
		}
	})
}

// TestGatewaysAreBounded: what is asked for again and again is read once, until that is old, and many Gateways take little memory.
func TestGatewaysAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &gatewayServer{get: func(_ context.Context, name string) error {
			return apierrors.NewNotFound(schema.GroupResource{Resource: "gateways"}, name)
		}}
		g := &gateways{now: time.Now, live: server}
		for range 3 {
			if known := g.of(t.Context(), behind("public")); !known["media/public"].Missing {
				t.Errorf("known: %v", known)
			}
		}
		if server.asked.Load() != 1 {
			t.Errorf("asked %d times", server.asked.Load())
		}
		time.Sleep(classesEvery)
		g.of(t.Context(), behind("public"))
		if server.asked.Load() != 2 {
			t.Errorf("asked %d times, the second time when the first answer was old", server.asked.Load())
		}
		for i := range 2 * maxGateways {
			g.of(t.Context(), behind(fmt.Sprintf("g%d", i)))
		}
		if len(g.read) > maxGateways {
			t.Errorf("%d Gateways are remembered", len(g.read))
		}
	})
}
