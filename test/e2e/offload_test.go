//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/e2e/cluster"
	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// promised is the smallest share of media bytes that comes from peers where seeders hold the stream.
const promised = 0.95

// Late, beside specs that leave the processors to it: pages whose first peers come late play on until the share is reached.
var _ = Describe("A seeder on a node port", Label("offload"), SpecPriority(4), func() {
	It("carries browsers in two offices", func(ctx SpecContext) {
		s := stream("two-offices", origin.URL(livePath))
		serve(ctx, s)
		awaitHeld(ctx, s)
		before := origin.From(anywhere)
		reports := watchBoth(ctx, s, 30, browserIn)
		expectGenuine(ctx, reports...)
		after := origin.From(anywhere)
		note("the origin served %d segments, %d bytes, to pods and offices; the pages received %d",
			after.Segments-before.Segments, after.SegmentBytes-before.SegmentBytes, browser.Total(reports...).All())
	}, SpecTimeout(8*time.Minute))

	// Pages on https silently skip trackers on ws, and fetch nothing over http.
	It("carries browsers on https, by wss", func(ctx SpecContext) {
		pair, err := authority.Issue(addresses()...)
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Apply(ctx,
			tlsSecret("tracker-tls", pair),
			originCA("secure"),
		)).To(Succeed())
		s := stream("secure", origin.SecureURL(livePath), func(s *v1.P2PStreamSpec) {
			s.Tracker.Exposure.TLSSecretName = "tracker-tls"
			trustOrigin(s, "secure")
		})
		serve(ctx, s)
		Expect(current(ctx, s).Status.Endpoints).To(HaveValue(And(
			HaveField("Announce", HavePrefix("wss://")), HaveField("Config", HavePrefix("https://")))))
		awaitHeld(ctx, s)
		reports := watchBoth(ctx, s, 20, secureBrowserIn)
		expectGenuine(ctx, reports...)

		By("the tracker's own page")
		tab := secureBrowserIn(ctx, north).OpenURL(ctx, playerURL(ctx, s))
		Eventually(ctx, func() float64 {
			return browser.Value[float64](ctx, tab, `document.querySelector("video")?.played.length ? document.querySelector("video").currentTime : 0`)
		}).Should(BeNumerically(">", 0))
		Eventually(ctx, func() string {
			return browser.Value[string](ctx, tab, `document.getElementById("seeder").textContent`)
		}).ShouldNot(HavePrefix("0"), "what the page shows as bytes of seeders")
	}, SpecTimeout(8*time.Minute))
})

// anywhere matches every client of the origin.
var anywhere = netip.MustParsePrefix("0.0.0.0/0")

// addresses are what a tracker on a node port is reached by.
func addresses() []string {
	var all []string
	for _, n := range nodes {
		all = append(all, n.IP)
	}
	return all
}

// secret is one in the namespace of the streams.
func secret(name string, kind corev1.SecretType, data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}, Type: kind, Data: data}
}

// originCA is the Secret with the authority of this process's origin, for one stream: processes have authorities of their own.
func originCA(stream string) *corev1.Secret {
	return secret(stream+"-origin", corev1.SecretTypeOpaque, map[string][]byte{"ca.crt": authority.PEM})
}

// trustOrigin makes a stream trust the origin by that Secret.
func trustOrigin(s *v1.P2PStreamSpec, stream string) {
	s.Source.CASecretRef = &v1.SecretReference{Name: v1.SecretName(stream + "-origin")}
}

// awaitHeld waits until seeders hold the stream at its live edge.
func awaitHeld(ctx SpecContext, s *v1.P2PStream) {
	GinkgoHelper()
	eventually(ctx, s, readyWithin).Should(HaveCondition(v1.ConditionSeedersReady, metav1.ConditionTrue, ""))
	awaitHandedOut(ctx, s, `"noPeerMs"`)
}

// watchBoth plays the stream in one tab in each of two offices, and fails unless both play without a stall and with the
// promised offload.
func watchBoth(ctx SpecContext, s *v1.P2PStream, seconds float64, start func(context.Context, *cluster.Office) *browser.Browser) []browser.Report {
	GinkgoHelper()
	here, there := start(ctx, north), start(ctx, south)
	// Two processors, which also are the cluster, cannot start two pages as they would start one.
	one := openSettled(ctx, here, s)
	begun := one.Report(ctx)
	two := openSettled(ctx, there, s)
	reports := []browser.Report{{}, watchLonger(ctx, two, two.Report(ctx), seconds)}
	reports[0] = watchLonger(ctx, one, begun, seconds)
	var own v1.OffloadTotals
	for _, tab := range []*browser.Tab{one, two} {
		own = plus(own, viewer.Bytes(tab.Report(ctx).Bytes))
		tab.Leave(ctx)
		tab.Close()
	}
	for i, name := range []string{"north", "south"} {
		expectSmooth(name, reports[i])
		note("%s: offload %.4f, %.0f s from the beginning of the playlist", name, reports[i].Bytes.Offload(), reports[i].CurrentTime)
		Expect(reports[i].Bytes.Offload()).To(BeNumerically(">=", promised), "offload of the tab in %s: %s", name, reports[i].Dump())
	}
	eventually(ctx, s, time.Minute).Should(HaveOffloadOf(own), "status.offload is what the pages measured themselves")
	return reports
}

// HaveOffloadOf matches a stream whose totals have all that its pages measured themselves, and the same offload within 2
// points. A page counts segments that it has, and its reports also the bytes of those that are still coming.
func HaveOffloadOf(own v1.OffloadTotals) types.GomegaMatcher {
	sum := func(t v1.OffloadTotals) float64 { return float64(t.OriginBytes + t.SeederBytes + t.PeerBytes) }
	offload := func(t v1.OffloadTotals) float64 { return 1 - float64(t.OriginBytes)/sum(t) }
	return WithTransform(func(s *v1.P2PStream) string {
		if s.Status.Offload == nil || s.Status.Offload.Totals == nil {
			return "status has no totals"
		}
		t := *s.Status.Offload.Totals
		if sum(t) >= 0.98*sum(own) && math.Abs(offload(t)-offload(own)) <= 0.02 {
			return ""
		}
		return fmt.Sprintf("status says %+v, an offload of %.3f; pages measured %+v, %.3f", t, offload(t), own, offload(own))
	}, BeEmpty())
}

// more is how much longer, in seconds of media, a page may play until the promise is kept. Where two processors do
// all of this a first peer sometimes comes after the page has stopped waiting for one, and then has to be met once more
// in the quality that the page turns to: up to three segments of the first fifteen. Over the minutes of an event they
// do not count; a page that goes on asking the origin never gets there.
const more = 150

// watchLonger plays for so many seconds, and on until the promised share came from peers, or it is clear that it does not.
func watchLonger(ctx context.Context, tab *browser.Tab, then browser.Report, seconds float64) browser.Report {
	GinkgoHelper()
	r := watch(ctx, tab, then, seconds)
	end := r.CurrentTime + more
	return tab.WaitFor(ctx, more*time.Second+20*time.Second, "the offload to show", func(r browser.Report) bool {
		return r.Bytes.Offload() >= promised || r.CurrentTime >= end
	})
}
