//go:build e2e

package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// countedWithin is how soon status has totals of what viewers reported: these are read for it every 15 s, writes of status for
// other causes put that off by 30 s more, and the first of them follows the first report of a viewer.
const countedWithin = 90 * time.Second

var _ = Describe("The seeders of a film", Label("scale"), func() {
	It("sleep without viewers, serve who comes, and sleep again", func(ctx SpecContext) {
		s := stream("library", origin.URL("/vod/dur_600/seg_4/ren_1/master.m3u8"), func(s *v1.P2PStreamSpec) {
			s.Seeders.Replicas, s.Seeders.Scale = nil, &v1.SeederScale{Min: new(int32(0)), IdleAfter: &metav1.Duration{Duration: 10 * time.Second}}
		})
		serve(ctx, s)
		asleep := And(BeReady(), HaveCondition(v1.ConditionSeedersReady, metav1.ConditionTrue, v1.ReasonIdle), HaveField("Status.Seeders.Replicas", BeZero()))
		eventually(ctx, s, readyWithin).Should(asleep)
		pods, err := children(ctx, s, "pods")
		Expect(err).NotTo(HaveOccurred())
		Expect(pods).NotTo(ContainElement(ContainSubstring("seeder")))

		begun := time.Now()
		viewers := startViewers(ctx, north, s, "--count", "1")
		eventually(ctx, s, readyWithin).WithPolling(100 * time.Millisecond).Should(HaveField("Status.Seeders.Scale.Wanted", BeEquivalentTo(1)))
		note("the operator wanted a seeder %.1f s after the viewer's program had started", time.Since(begun).Seconds())
		eventually(ctx, s, readyWithin).WithPolling(100 * time.Millisecond).Should(HaveCondition(v1.ConditionSeedersReady, metav1.ConditionTrue, v1.ReasonAvailable))
		note("the seeder was ready %.1f s after the viewer's program had started", time.Since(begun).Seconds())
		Eventually(ctx, func(ctx context.Context) int64 {
			if o := current(ctx, s).Status.Offload; o != nil && o.Totals != nil {
				return o.Totals.SeederBytes
			}
			return 0
		}).WithTimeout(countedWithin).Should(BeNumerically(">", 0), "bytes that the viewer got from the seeder")
		note("status counted the seeder's bytes %.1f s after the viewer's program had started", time.Since(begun).Seconds())
		expectWell("the viewer who woke the film", 1, viewers.stop())
		eventually(ctx, s, time.Minute).Should(asleep)
	}, SpecTimeout(4*time.Minute))
})
