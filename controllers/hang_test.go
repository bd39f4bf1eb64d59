package controllers_test

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// TestHungTrackersDelayNoStream has the trackers of 40 streams accept connections and never answer. New streams get
// their children as if those were not there.
func TestHungTrackersDelayNoStream(t *testing.T) {
	t.Parallel()
	const hung, prompt = 40, 8 * time.Second
	w := newWorld(t)
	w.operator()
	w.stream("first")
	w.until("first", "Current", current) // the caches are filled: streams are served in the order of their events
	hang := newHang(t)
	for i := range hung {
		w.trackerPod(fmt.Sprintf("hung-%d", i), hang.Addr().String())
	}
	for i := range hung {
		w.stream(fmt.Sprintf("hung-%d", i), func(s *v1.P2PStreamSpec) { s.Suspend = true }) // this is not about children
	}
	if !w.eventually(func() bool { return hang.accepted.Load() >= 4 }) {
		t.Fatalf("%d trackers were asked", hang.accepted.Load())
	}
	for i := range 3 {
		name := fmt.Sprintf("new-%d", i)
		began := time.Now()
		w.stream(name)
		if !w.eventually(func() bool {
			return w.Get(t.Context(), client.ObjectKey{Namespace: w.ns, Name: plan.TrackerName(name)}, &corev1.ConfigMap{}) == nil
		}) {
			t.Fatalf("stream %s has no children", name)
		}
		if took := time.Since(began); took > prompt {
			t.Errorf("stream %s waited %s for its first child", name, took)
		}
	}
	w.until("hung-0", "known to be silent", func(s *v1.P2PStream) bool {
		return has("Ready=False/Suspended")(s) && message(s, v1.ConditionTelemetryFresh) != ""
	})
}

// hang is a server that accepts connections and never answers.
type hang struct {
	net.Listener
	accepted atomic.Int32
}

func newHang(t *testing.T) *hang {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hang{Listener: l}
	var done sync.WaitGroup
	var conns []net.Conn
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.accepted.Add(1)
			conns = append(conns, c)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		done.Wait()
		for _, c := range conns {
			_ = c.Close()
		}
	})
	return h
}

// trackerPod makes a tracker pod of a stream that is ready and answers, or not, at an address.
func (w *world) trackerPod(stream, address string) {
	w.t.Helper()
	number := lastIP.Add(1)
	ip := fmt.Sprintf("10.99.%d.%d", number/250, number%250+1)
	w.setAddress(ip, address)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: stream + "-tracker-0", Labels: plan.Labels(stream, plan.ComponentTracker),
			Annotations: map[string]string{"test/keep": "yes"}},
		Spec: corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "tracker", Image: image}}},
	}
	if err := w.Create(w.t.Context(), pod); err != nil {
		w.t.Fatal(err)
	}
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}},
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
	if err := w.Status().Update(w.t.Context(), pod); err != nil {
		w.t.Fatal(err)
	}
}
