//go:build e2e

package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/p2pstream/p2pstream/test/lab/browser"
)

var _ = Describe("An office whose firewall drops UDP", Label("walled"), func() {
	// The settings make a viewer wait for peers; this is what that may cost where none can be reached. Other
	// work of the machine would change such times, so it runs alone.
	const priceMs = 400

	It("starts at most 400 ms later", Serial, func(ctx SpecContext) {
		s := stream("behind-walls", origin.URL(livePath))
		serve(ctx, s)
		awaitHeld(ctx, s)
		b := browserIn(ctx, walled)
		first := browser.CompareFirstFrames(priceMs, func() int {
			tab := b.OpenPlain(ctx, string(s.Spec.Source.URL))
			defer tab.Close()
			return tab.WaitPlaying(ctx).FirstFrameMs
		}, func() int {
			tab := open(ctx, b, s)
			defer tab.Close()
			return tab.Report(ctx).FirstFrameMs
		})
		note("first frame, ms: plain HTTP %v, with the stream's settings %v", first.Plain, first.Shared)
		Expect(first.Within).To(BeTrue(), "the median first frame comes more than %d ms later than by plain HTTP", priceMs)
	}, SpecTimeout(4*time.Minute))

	It("plays without stalls", func(ctx SpecContext) {
		s := stream("without-udp", origin.URL(livePath))
		serve(ctx, s)
		awaitHeld(ctx, s)
		tab := open(ctx, browserIn(ctx, walled), s)
		r := watch(ctx, tab, tab.Report(ctx), 10)
		expectSmooth("walled", r)
		Expect(r.PeersSeen).To(BeZero(), "UDP is not dropped: %s", r.Dump())
		Expect(r.Bytes.HTTP).To(BeNumerically(">", 0))
	}, SpecTimeout(4*time.Minute))
})
