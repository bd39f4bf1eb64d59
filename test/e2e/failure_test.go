//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/e2e/cluster"
	"github.com/p2pstream/p2pstream/test/e2e/viewers"
	"github.com/p2pstream/p2pstream/test/interop/browser"
)

// The specs of this container do their worst to one audience, which must not notice: a page in one office,
// and six of our own viewers in both.
var _ = Describe("A running audience", Label("failure"), Ordered, ContinueOnFailure, func() {
	const perOffice = 3
	const people = 2*perOffice + 1
	var s *v1.P2PStream
	var here *browser.Browser
	var page *browser.Tab
	var groups []*viewers.Group
	// own is what pages that left measured themselves.
	var own v1.OffloadTotals

	// leave ends a page as a person does, after a look at how it went.
	leave := func(ctx context.Context, name string, tab *browser.Tab) {
		GinkgoHelper()
		r := tab.Report(ctx)
		tab.Leave(ctx)
		tab.Close()
		own = plus(own, viewer.Bytes(r.Bytes))
		expectSmooth(name, r)
	}

	BeforeAll(func(ctx SpecContext) {
		s = stream("all-hands", origin.URL(livePath))
		serve(ctx, s)
		awaitHeld(ctx, s)
		here = startBrowser(north)
		page = open(ctx, here, s)
		for _, office := range []*cluster.Office{north, south} {
			groups = append(groups, startViewers(ctx, office, s, "--count", fmt.Sprint(perOffice)))
		}
		eventually(ctx, s, time.Minute).Should(HaveViewers(people))
	}, NodeTimeout(3*time.Minute))

	// settle waits until the operator sees everything as it was before, and the page has gone on meanwhile.
	settle := func(ctx context.Context, before browser.Report) {
		GinkgoHelper()
		eventually(ctx, s, time.Minute).Should(And(BeReady(), HaveViewers(people)))
		now := page.Report(ctx)
		Expect(now.Rebuffers()).To(Equal(before.Rebuffers()), "the page stalled: %s", now.Dump())
		Expect(now.CurrentTime).To(BeNumerically(">", before.CurrentTime))
		for _, g := range groups {
			Expect(g.Running()).To(BeTrue(), "viewers ended: %s", g.Log())
		}
	}

	It("stays together when the tracker moves to another node, and newcomers join", func(ctx SpecContext) {
		before := page.Report(ctx)
		old := podOf(ctx, s, "tracker")
		_, err := k8s.Kubectl(ctx, "cordon", old.Spec.NodeName)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx SpecContext) {
			_, err := k8s.Kubectl(ctx, "uncordon", old.Spec.NodeName)
			Expect(err).NotTo(HaveOccurred())
		}, NodeTimeout(30*time.Second))
		took := replaced(ctx, s, "tracker", func() { Expect(k8s.Delete(ctx, old)).To(Succeed()) })
		Expect(podOf(ctx, s, "tracker").Spec.NodeName).NotTo(Equal(old.Spec.NodeName))
		note("tracker moved in %.1f s", took.Seconds())

		By("those who are there go on exchanging")
		moved := page.Report(ctx)
		after := watch(ctx, page, moved, 10)
		Expect(after.Bytes.Seeder+after.Bytes.Viewer).To(BeNumerically(">", moved.Bytes.Seeder+moved.Bytes.Viewer), after.Dump)

		By("a newcomer joins")
		newcomer := open(ctx, here, s)
		newcomer.WaitFor(ctx, 20*time.Second, "bytes from peers", func(r browser.Report) bool { return r.Bytes.Seeder+r.Bytes.Viewer > 0 })
		leave(ctx, "newcomer", newcomer)
		settle(ctx, before)
	}, SpecTimeout(2*time.Minute))

	It("does not notice pods that go away one after the other, and is counted right to the byte", func(ctx SpecContext) {
		before := page.Report(ctx)
		for _, component := range []string{"tracker", "stun", "seeder"} {
			took := replaced(ctx, s, component, func() { Expect(k8s.Delete(ctx, podOf(ctx, s, component))).To(Succeed()) })
			settle(ctx, before)
			note("%s replaced in %.1f s", component, took.Seconds())
		}
		By("the operator's own pod")
		operator := &corev1.PodList{}
		Expect(k8s.List(ctx, operator, client.InNamespace(managerNamespace))).To(Succeed())
		for i := range operator.Items {
			Expect(k8s.Delete(ctx, &operator.Items[i])).To(Succeed())
		}
		observed := current(ctx, s).Status.Offload.ObservedAt
		eventually(ctx, s, time.Minute).Should(HaveField("Status.Offload.ObservedAt", HaveField("Time", BeTemporally(">", observed.Time))))
		settle(ctx, before)

		By("the page and the viewers leave")
		leave(ctx, "page", page)
		for i, g := range groups {
			r, err := g.Stop(30 * time.Second)
			Expect(err).NotTo(HaveOccurred())
			expectWell([]string{"north", "south"}[i], perOffice, r)
			own = plus(own, r.Total.Bytes)
		}
		eventually(ctx, s, time.Minute).Should(addUpTo(own))
		note("status adds up to %+v, viewers measured %+v", *current(ctx, s).Status.Offload.Totals, own)
	}, SpecTimeout(4*time.Minute))
})

// podOf is the one running pod of a component.
func podOf(ctx context.Context, s *v1.P2PStream, component string) *corev1.Pod {
	GinkgoHelper()
	var found *corev1.Pod
	Eventually(ctx, func(ctx context.Context) ([]corev1.Pod, error) {
		pods, err := runningPods(ctx, s, component)
		if len(pods) == 1 {
			found = &pods[0]
		}
		return pods, err
	}).Should(HaveLen(1), "ready pods of the %s", component)
	return found
}

// runningPods are the pods of a component that are ready and not on their way out.
func runningPods(ctx context.Context, s *v1.P2PStream, component string) ([]corev1.Pod, error) {
	var pods corev1.PodList
	err := k8s.List(ctx, &pods, client.InNamespace(s.Namespace), client.MatchingLabels{
		"p2pstream.dev/stream": s.Name, "app.kubernetes.io/component": component,
	})
	var running []corev1.Pod
	for _, p := range pods.Items {
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue && p.DeletionTimestamp == nil {
				running = append(running, p)
			}
		}
	}
	return running, err
}

// replaced does something to a component's pod and waits until another one is ready in its place.
func replaced(ctx context.Context, s *v1.P2PStream, component string, do func()) time.Duration {
	GinkgoHelper()
	old := podOf(ctx, s, component).UID
	begun := time.Now()
	do()
	Eventually(ctx, runningPods).WithArguments(s, component).WithTimeout(45 * time.Second).
		Should(ConsistOf(HaveField("ObjectMeta", HaveField("UID", Not(Equal(old))))))
	return time.Since(begun)
}

func plus(t v1.OffloadTotals, b viewer.Bytes) v1.OffloadTotals {
	t.OriginBytes += b.HTTP
	t.SeederBytes += b.Seeder
	t.PeerBytes += b.Viewer
	return t
}

// addUpTo wants the totals of a stream to be what its viewers measured themselves, within 2 %.
func addUpTo(own v1.OffloadTotals) types.GomegaMatcher {
	sum := func(t v1.OffloadTotals) int64 { return t.OriginBytes + t.SeederBytes + t.PeerBytes }
	near := func(got, want int64) bool { return math.Abs(float64(got-want)) <= 0.02*float64(sum(own)) }
	return WithTransform(func(s *v1.P2PStream) string {
		t := s.Status.Offload.Totals
		if t == nil {
			return "no totals"
		}
		if near(sum(*t), sum(own)) && near(t.OriginBytes, own.OriginBytes) && near(t.SeederBytes, own.SeederBytes) && near(t.PeerBytes, own.PeerBytes) {
			return ""
		}
		return fmt.Sprintf("status says %+v, viewers measured %+v: off by %.1f %%", *t, own, 100*float64(sum(*t)-sum(own))/float64(sum(own)))
	}, BeEmpty())
}
