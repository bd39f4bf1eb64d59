//go:build e2e

package e2e

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("An office whose firewall drops UDP", Label("walled"), func() {
	// The settings make a viewer wait for peers; where none can come, this is what that may cost.
	// A plain page is sometimes 100 ms faster than it mostly is: with few rounds that decides the median.
	const price, rounds = 400 * time.Millisecond, 11

	It("loses nothing but a moment at the start", func(ctx SpecContext) {
		s := stream("behind-walls", origin.URL(livePath))
		serve(ctx, s)
		awaitHeld(ctx, s)
		b := startBrowser(ctx, walled)
		var plain, shared []int
		for range rounds {
			tab := b.OpenPlain(ctx, string(s.Spec.Source.URL))
			plain = append(plain, tab.WaitPlaying(ctx).FirstFrameMs)
			tab.Close()
			tab = open(ctx, b, s)
			shared = append(shared, tab.Report(ctx).FirstFrameMs)
			tab.Close()
		}
		note("first frame, ms: plain HTTP %v, with the stream's settings %v", plain, shared)
		tab := open(ctx, b, s)
		r := watch(ctx, tab, tab.Report(ctx), 10)
		expectSmooth("walled", r)
		Expect(r.PeersSeen).To(BeZero(), "UDP is not dropped: %s", r.Dump())
		Expect(r.Bytes.HTTP).To(BeNumerically(">", 0))
		Expect(median(shared)-median(plain)).To(BeNumerically("<=", price.Milliseconds()), "what the first frame is later than by plain HTTP, in ms")
	}, SpecTimeout(2*time.Minute))
})

func median(v []int) int {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
