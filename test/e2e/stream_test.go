//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gcustom"
	"github.com/onsi/gomega/types"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

const (
	// livePath is the live stream of most specs. Its window is a minute, as those of real events are, and
	// its segments are short, so that specs need not wait long for the next one.
	livePath = "/live/seg_2/window_30/master.m3u8"

	readyWithin = 45 * time.Second // when readiness is not what a spec is about
)

// stream describes a stream that offices can reach: tracker, STUN and one seeder on node ports.
func stream(name, url string, changes ...func(*v1.P2PStreamSpec)) *v1.P2PStream {
	s := &v1.P2PStream{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: v1.P2PStreamSpec{
			Source:  v1.SourceSpec{URL: v1.URL(url)},
			SwarmID: name,
			Tracker: &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureNodePort}},
			STUN:    &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureNodePort}},
			Seeders: &v1.SeedersSpec{Replicas: new(int32(1)), Exposure: &v1.SeederExposure{Type: v1.ExposureNodePort}},
		},
	}
	for _, change := range changes {
		change(&s.Spec)
	}
	return s
}

// seeders asks for n of them.
func seeders(n int32) func(*v1.P2PStreamSpec) {
	return func(s *v1.P2PStreamSpec) { s.Seeders.Replicas = &n }
}

// withoutSTUN asks for no STUN server.
func withoutSTUN(s *v1.P2PStreamSpec) { s.STUN = &v1.STUNSpec{Enabled: new(false)} }

// apply is kubectl apply; the stream is gone when the spec, or the container of a BeforeAll, ends.
func apply(ctx context.Context, s *v1.P2PStream) {
	GinkgoHelper()
	Expect(k8s.Apply(ctx, s)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { remove(ctx, s) }, NodeTimeout(time.Minute))
}

// serve applies a stream and waits until it is ready. No page starts meanwhile.
func serve(ctx context.Context, s *v1.P2PStream) {
	GinkgoHelper()
	defer share(ctx, startLock)()
	apply(ctx, s)
	awaitReady(ctx, s)
}

func awaitReady(ctx context.Context, s *v1.P2PStream) {
	GinkgoHelper()
	eventually(ctx, s, readyWithin).Should(BeReady())
}

// eventually polls a stream as it is in the cluster.
func eventually(ctx context.Context, s *v1.P2PStream, within time.Duration) types.AsyncAssertion {
	GinkgoHelper()
	return Eventually(ctx, func(ctx context.Context) (*v1.P2PStream, error) {
		return k8s.Stream(ctx, client.ObjectKeyFromObject(s))
	}).WithTimeout(within)
}

// current is a stream as it is in the cluster.
func current(ctx context.Context, s *v1.P2PStream) *v1.P2PStream {
	GinkgoHelper()
	now, err := k8s.Stream(ctx, client.ObjectKeyFromObject(s))
	Expect(err).NotTo(HaveOccurred())
	return now
}

// remove deletes a stream. Its pods use next to nothing until they end, and no other spec uses its name.
func remove(ctx context.Context, s *v1.P2PStream) {
	GinkgoHelper()
	Expect(client.IgnoreNotFound(k8s.Delete(ctx, s.DeepCopy()))).To(Succeed())
}

// children names the objects of a resource that belong to a stream.
func children(ctx context.Context, s *v1.P2PStream, resource string) ([]string, error) {
	out, err := k8s.Kubectl(ctx, "get", resource, "-n", s.Namespace, "-l", "p2pstream.dev/stream="+s.Name, "-o", "name")
	return strings.Fields(out), err
}

// HaveCondition matches a stream with a condition of the observed generation; reason may be empty.
func HaveCondition(kind string, status metav1.ConditionStatus, reason string) types.GomegaMatcher {
	return gcustom.MakeMatcher(func(s *v1.P2PStream) (bool, error) {
		c := meta.FindStatusCondition(s.Status.Conditions, kind)
		return c != nil && c.Status == status && (reason == "" || c.Reason == reason) && c.ObservedGeneration == s.Generation, nil
	}).WithTemplate("Expected stream {{.Actual.Name}}\n{{.To}} {{.Data}}; it has{{range .Actual.Status.Conditions}}\n"+
		"  {{.Type}}={{.Status}} {{.Reason}} (of generation {{.ObservedGeneration}}): {{.Message}}{{end}}\nand is of generation {{.Actual.Generation}}",
		fmt.Sprintf("have %s=%s %s for its generation", kind, status, reason))
}

// BeReady matches a stream that would serve a viewer who joins now.
func BeReady() types.GomegaMatcher { return HaveCondition(v1.ConditionReady, metav1.ConditionTrue, "") }

// BeStalled matches a stream that needs a person to act, and whose message says why.
func BeStalled(reason, message string) types.GomegaMatcher {
	return beHeldUp(v1.ConditionStalled, v1.ConditionReconciling, reason, message)
}

// BeWaiting matches a stream that lacks something that may still come, and whose message says what.
func BeWaiting(reason, message string) types.GomegaMatcher {
	return beHeldUp(v1.ConditionReconciling, v1.ConditionStalled, reason, message)
}

func beHeldUp(condition, other, reason, message string) types.GomegaMatcher {
	return SatisfyAll(
		HaveCondition(condition, metav1.ConditionTrue, reason),
		gcustom.MakeMatcher(func(s *v1.P2PStream) (bool, error) {
			c := meta.FindStatusCondition(s.Status.Conditions, condition)
			return c != nil && strings.Contains(c.Message, message), nil
		}).WithTemplate("Expected stream {{.Actual.Name}} to say {{printf \"%q\" .Data}} of what is missing; its conditions:"+
			"{{range .Actual.Status.Conditions}}\n  {{.Type}}={{.Status}} {{.Reason}}: {{.Message}}{{end}}", message),
		Not(HaveCondition(other, metav1.ConditionTrue, "")),
	)
}

// HaveViewers matches a stream whose status counts exactly so many viewers.
func HaveViewers(n int32) types.GomegaMatcher {
	return HaveField("Status.Swarm", HaveValue(HaveField("Viewers", HaveValue(Equal(n)))))
}

// BeObservedAfter matches a stream whose figures were read after a moment; status has it to the second.
func BeObservedAfter(then time.Time) types.GomegaMatcher {
	return HaveField("Status.Offload", HaveValue(HaveField("ObservedAt", HaveValue(HaveField("Time", BeTemporally(">", then))))))
}
