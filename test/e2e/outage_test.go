//go:build e2e

package e2e

import (
	"context"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/p2pstream/p2pstream/test/lab/browser"
)

var _ = Describe("An origin that goes away", Label("outage"), SpecPriority(8), func() {
	const away = 30 * time.Second

	// Seeders hold all of a film. Of a live stream there is nothing new while the origin is away: pages play what was
	// published, wait, and go on by themselves when there is more.
	It("leaves films to the seeders, and live streams go on when it returns", func(ctx SpecContext) {
		const length, segment, renditions = 60, 2, 3
		film := stream("film", origin.URL("/vod/dur_60/seg_2/master.m3u8"))
		live := stream("match", origin.URL(livePath))
		had := origin.From(pods()).Segments
		serve(ctx, film)
		awaitHeld(ctx, film)
		By("the seeder holds all of the film") // before the other one's seeder asks the origin, too
		Eventually(ctx, func() int { return origin.From(pods()).Segments }).Should(BeNumerically(">=", had+length/segment*renditions))
		serve(ctx, live)
		awaitHeld(ctx, live)

		here, there := browserIn(ctx, north), browserIn(ctx, south)
		match := open(ctx, there, live)
		const admin = "127.0.0.1:9190"
		goViewers, within := startViewers(ctx, south, live, "--admin-listen", admin), clientIn(south)
		received := func(ctx context.Context) (float64, error) {
			m, err := scrape(ctx, within, admin)
			return m.Sum("p2pstream_viewer_received_bytes_total"), err
		}
		playing := time.Now()
		watch(ctx, match, match.Report(ctx), 2)
		seat := open(ctx, here, film)
		// A page that has not met the seeder yet has nothing but the origin.
		before := seat.WaitFor(ctx, time.Minute, "the page to get bytes from the seeder", func(r browser.Report) bool { return r.Bytes.Seeder > 0 })
		origin.Leave()
		DeferCleanup(func(ctx SpecContext) { Expect(origin.Return(ctx)).To(Succeed()) }, NodeTimeout(10*time.Second))
		gone := time.Now()

		By("the film goes on, from the seeder")
		after := watch(ctx, seat, before, away.Seconds())
		expectSmooth("film", after)
		note("film: %d bytes from peers while the origin was away, %d from the origin", after.Bytes.Seeder-before.Bytes.Seeder, after.Bytes.HTTP-before.Bytes.HTTP)
		Expect(after.Bytes.Seeder).To(BeNumerically(">", before.Bytes.Seeder))
		seat.Close()
		stuck := match.Report(ctx)
		note("live, after %.0f s without an origin: %s", time.Since(gone).Seconds(), stuck)

		By("both streams stay ready")
		Expect(current(ctx, film)).To(BeReady())
		Expect(current(ctx, live)).To(BeReady())

		By("the origin returns")
		stopped, err := received(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(origin.Return(ctx)).To(Succeed())
		back := time.Now()
		r := match.WaitFor(ctx, time.Minute, "the live page to go on, with bytes from peers", func(r browser.Report) bool {
			return r.CurrentTime > stuck.CurrentTime+10 && r.Bytes.Seeder > stuck.Bytes.Seeder
		})
		note("live, %.0f s after the origin's return: %s", time.Since(back).Seconds(), r)
		Expect(r.Errors).To(BeEmpty(), r.Dump)
		expectGenuine(ctx, after, r)
		Expect(current(ctx, live)).To(BeReady())

		By("our own viewer goes on by itself")
		Eventually(ctx, received).WithTimeout(time.Minute).Should(BeNumerically(">", stopped), "bytes of our viewer; its log: %s", goViewers.LogText)
		own := goViewers.stop()
		note("live, our viewer: %+v", own.Viewers)
		const slack = 10 * time.Second // to start
		least := gone.Sub(playing) - slack
		Expect(own.Viewers).To(ConsistOf(And(HaveField("DigestErrors", BeZero()),
			HaveField("PlayedMs", BeNumerically(">=", least.Milliseconds())))))
	}, SpecTimeout(5*time.Minute))
})

// pods is the network of the origin's clients within the cluster.
func pods() netip.Prefix {
	GinkgoHelper()
	prefix, err := netip.ParsePrefix(nodes[0].PodCIDR)
	Expect(err).NotTo(HaveOccurred())
	return netip.PrefixFrom(prefix.Addr(), 16).Masked()
}
