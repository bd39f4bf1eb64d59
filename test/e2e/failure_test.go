//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/e2e/cluster"
	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// The specs of this container replace programs while one audience plays, which must not notice: a page in one office,
// and six of p2pstream's viewers in both.
var _ = Describe("A running audience", Label("failure"), Ordered, ContinueOnFailure, SpecPriority(9), func() {
	const perOffice = 3
	const people = 2*perOffice + 1
	var s *v1.P2PStream
	var here *browser.Browser
	var page *browser.Tab
	var groups []group
	BeforeAll(func(ctx SpecContext) {
		s = stream("all-hands", origin.URL(livePath))
		serve(ctx, s)
		awaitHeld(ctx, s)
		here = browserIn(ctx, north)
		page = open(ctx, here, s)
		for _, office := range []*cluster.Office{north, south} {
			groups = append(groups, startViewers(ctx, office, s, "--count", fmt.Sprint(perOffice)))
		}
		eventually(ctx, s, time.Minute).Should(HaveViewers(people))
	}, NodeTimeout(3*time.Minute))

	// unharmed fails unless the stream is ready and the audience has played on.
	unharmed := func(ctx context.Context, before browser.Report) {
		GinkgoHelper()
		awaitReady(ctx, s)
		now := page.Report(ctx)
		Expect(now.Rebuffers()).To(Equal(before.Rebuffers()), "the page stalled: %s", now.Dump())
		Expect(now.CurrentTime).To(BeNumerically(">", before.CurrentTime))
		for _, g := range groups {
			Expect(g.Alive()).To(BeTrue(), "viewers ended: %s", g.LogText())
		}
	}

	It("stays together when the tracker moves to another node, and newcomers join", func(ctx SpecContext) {
		release := holdAlone(ctx, operatorLock)
		before := page.Report(ctx)
		tracker := crewOf(s, "tracker")
		old := tracker.pod(ctx)
		_, err := k8s.Kubectl(ctx, "cordon", old.Spec.NodeName)
		Expect(err).NotTo(HaveOccurred())
		uncordon := func(ctx SpecContext) {
			_, err := k8s.Kubectl(ctx, "uncordon", old.Spec.NodeName)
			Expect(err).NotTo(HaveOccurred())
		}
		DeferCleanup(uncordon, NodeTimeout(30*time.Second))
		took := tracker.replace(ctx)
		uncordon(ctx)
		release()
		Expect(tracker.pod(ctx).Spec.NodeName).NotTo(Equal(old.Spec.NodeName))
		note("tracker moved in %.1f s", took.Seconds())

		By("connected viewers go on exchanging")
		moved := page.Report(ctx)
		after := watch(ctx, page, moved, 6)
		Expect(after.Bytes.Seeder+after.Bytes.Viewer).To(BeNumerically(">", moved.Bytes.Seeder+moved.Bytes.Viewer), after.Dump)

		By("a newcomer joins")
		// It does not report: the totals are compared below with those of the viewers that stay.
		newcomer := here.OpenHLSFrom(ctx, configURL(ctx, s))
		watch(ctx, newcomer, newcomer.WaitPlaying(ctx), 4)
		newcomer.WaitFor(ctx, 20*time.Second, "bytes from peers", func(r browser.Report) bool { return r.Bytes.Seeder+r.Bytes.Viewer > 0 })
		expectSmooth("newcomer", newcomer.Report(ctx))
		newcomer.Close()
		unharmed(ctx, before)
	}, SpecTimeout(2*time.Minute+lockWithin))

	It("does not notice pods that go away one after the other, and its bytes are counted exactly", func(ctx SpecContext) {
		before := page.Report(ctx)
		for _, component := range []string{"tracker", "stun", "seeder"} {
			took := crewOf(s, component).replace(ctx)
			unharmed(ctx, before)
			note("%s replaced in %.1f s", component, took.Seconds())
		}
		release := holdAlone(ctx, operatorLock)
		note("operator replaced in %.1f s", operator.replace(ctx).Seconds())
		release()

		By("status reports all of them")
		eventually(ctx, s, time.Minute).Should(And(HaveViewers(people), BeObservedAfter(time.Now())))
		unharmed(ctx, before)

		By("page and viewers leave")
		var own v1.OffloadTotals
		r := page.Report(ctx)
		page.Leave(ctx)
		own = plus(own, viewer.Bytes(r.Bytes))
		expectSmooth("page", r)
		for i, g := range groups {
			r := g.stop()
			expectWell([]string{"north", "south"}[i], perOffice, r)
			own = plus(own, r.Total.Bytes)
		}
		eventually(ctx, s, time.Minute).Should(addUpTo(own))
		note("status adds up to %+v, viewers measured %+v", *current(ctx, s).Status.Offload.Totals, own)
	}, SpecTimeout(4*time.Minute+lockWithin))
})

// crew selects the pods of a program.
type crew []client.ListOption

var operator = crew{client.InNamespace(managerNamespace)}

func crewOf(s *v1.P2PStream, component string) crew {
	return crew{client.InNamespace(s.Namespace), client.MatchingLabels{
		"p2pstream.dev/stream": s.Name, "app.kubernetes.io/component": component,
	}}
}

// running returns the pods that are ready and not being deleted.
func (c crew) running(ctx context.Context) ([]corev1.Pod, error) {
	var pods corev1.PodList
	err := k8s.List(ctx, &pods, c...)
	return slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool {
		return p.DeletionTimestamp != nil || !slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
	}), err
}

// pod returns the only one that runs.
func (c crew) pod(ctx context.Context) *corev1.Pod {
	GinkgoHelper()
	var pods []corev1.Pod
	Eventually(ctx, func(ctx context.Context) (found []corev1.Pod, err error) {
		pods, err = c.running(ctx)
		return pods, err
	}).Should(HaveLen(1))
	return &pods[0]
}

// replace deletes the pod and waits until another one is ready in its place.
func (c crew) replace(ctx context.Context) time.Duration {
	GinkgoHelper()
	old := c.pod(ctx)
	begun := time.Now()
	Expect(k8s.Delete(ctx, old)).To(Succeed())
	Eventually(ctx, c.running).WithTimeout(45 * time.Second).Should(ConsistOf(HaveField("ObjectMeta.UID", Not(Equal(old.UID)))))
	return time.Since(begun)
}

func plus(t v1.OffloadTotals, b viewer.Bytes) v1.OffloadTotals {
	t.OriginBytes += b.HTTP
	t.SeederBytes += b.Seeder
	t.PeerBytes += b.Viewer
	return t
}

// addUpTo matches a stream whose totals are what its viewers measured themselves, within 2 %.
func addUpTo(own v1.OffloadTotals) types.GomegaMatcher {
	sum := func(t v1.OffloadTotals) int64 { return t.OriginBytes + t.SeederBytes + t.PeerBytes }
	near := func(got, want int64) bool { return math.Abs(float64(got-want)) <= 0.02*float64(sum(own)) }
	return WithTransform(func(s *v1.P2PStream) string {
		if s.Status.Offload == nil || s.Status.Offload.Totals == nil {
			return "status has no totals"
		}
		t := s.Status.Offload.Totals
		if near(sum(*t), sum(own)) && near(t.OriginBytes, own.OriginBytes) && near(t.SeederBytes, own.SeederBytes) && near(t.PeerBytes, own.PeerBytes) {
			return ""
		}
		return fmt.Sprintf("status says %+v, viewers measured %+v: off by %.1f %%", *t, own, 100*float64(sum(*t)-sum(own))/float64(sum(own)))
	}, BeEmpty())
}
