//go:build e2e

package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

var _ = Describe("Browsers in two offices", Label("stun"), SpecPriority(7), func() {
	// One stream, first without STUN and then with it. Nothing else changes, so STUN is why the offices meet.
	It("meet through the stream's STUN server, and not without", func(ctx SpecContext) {
		s := stream("meeting", origin.URL(livePath), seeders(0), withoutSTUN)
		serve(ctx, s)
		here, there := browserIn(ctx, north), browserIn(ctx, south)

		By("without STUN")
		one, two := open(ctx, here, s), open(ctx, there, s)
		watch(ctx, one, one.Report(ctx), 12)
		a, b := one.Report(ctx), watch(ctx, two, two.Report(ctx), 1)
		one.Close()
		two.Close()
		note("without STUN: %d and %d bytes from the other office, %d and %d peers", a.Bytes.Viewer, b.Bytes.Viewer, a.PeersSeen, b.PeersSeen)
		Expect(a.PeersSeen+b.PeersSeen).To(BeZero(), "the offices meet without STUN: %s\n%s", a.Dump(), b.Dump())

		By("with STUN")
		s.Spec.STUN = &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureNodePort}}
		Expect(k8s.Apply(ctx, s)).To(Succeed())
		eventually(ctx, s, readyWithin).Should(And(BeReady(), HaveCondition(v1.ConditionSTUNReady, "True", v1.ReasonAvailable),
			HaveField("Status.Endpoints.STUN", Not(BeEmpty()))))
		awaitHandedOut(ctx, s, `"stun:`)
		one, two = open(ctx, here, s), open(ctx, there, s)
		Eventually(ctx, func(ctx context.Context) int64 {
			a, b = one.Report(ctx), two.Report(ctx)
			return a.Bytes.Viewer + b.Bytes.Viewer
		}).WithTimeout(45*time.Second).Should(BeNumerically(">", 0), func() string { return a.Dump() + "\n" + b.Dump() })
		note("with STUN: %d and %d bytes from the other office, first peer after %d and %d ms", a.Bytes.Viewer, b.Bytes.Viewer, a.FirstPeerMs, b.FirstPeerMs)
		expectSmooth("north", a)
		expectSmooth("south", b)
	}, SpecTimeout(3*time.Minute))
})
