//go:build e2e

package e2e

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/test/lab/browser"
)

var _ = Describe("One site with two subnets", Label("subnets"), SpecPriority(5), func() {
	// The two offices are one site here. Browsers hide local addresses, and the names in their place resolve in one browser
	// only: the three viewers in the south meet, and the one in the north is alone. Nothing but the STUN server changes; there
	// is no NAT between it and the offices.
	It("is named in status while its viewers do not meet, and meets through a STUN server inside", func(ctx SpecContext) {
		s := stream("campus", origin.URL(livePath), seeders(0), withoutSTUN, func(s *v1.P2PStreamSpec) {
			s.Tracker.Exposure.ExternalTrafficPolicy = v1.TrafficPolicyLocal // the tracker has to see where viewers are
			s.Sites = &v1.SitesSpec{List: []v1.SiteSpec{{Name: "campus", CIDRs: []v1.SiteRange{v1.SiteRange(north.CIDR), v1.SiteRange(south.CIDR)}}}}
		})
		serve(ctx, s)
		here, there := browserIn(ctx, north), browserIn(ctx, south)
		hidden := HaveCondition(v1.ConditionTrackerReady, "True", v1.ReasonLocalAddressesHidden)
		openFour := func() []*browser.Tab {
			return []*browser.Tab{open(ctx, here, s), open(ctx, there, s), open(ctx, there, s), open(ctx, there, s)}
		}
		addresses := func(ctx context.Context) (*stats.LocalAddresses, error) {
			answer, err := fetchStats(ctx, s, configURL(ctx, s))
			if err != nil {
				return nil, err
			}
			said, err := stats.Decode(strings.NewReader(answer))
			return said.LocalAddresses, err
		}

		By("without STUN")
		tabs := openFour()
		Eventually(ctx, addresses).Should(HaveValue(And(HaveField("Hidden", 4), HaveField("Divided", 1))))
		eventually(ctx, s, 30*time.Second).Should(And(BeReady(), hidden))
		alone := watch(ctx, tabs[0], tabs[0].Report(ctx), 12)
		note("without STUN: %d peers in the north, %d in the south", alone.PeersSeen, tabs[1].Report(ctx).PeersSeen)
		Expect(alone.PeersSeen).To(BeZero(), "the subnets meet without STUN: %s", alone.Dump())
		for _, tab := range tabs {
			tab.Close()
		}

		By("with STUN")
		s.Spec.STUN = &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureNodePort}}
		Expect(k8s.Apply(ctx, s)).To(Succeed())
		eventually(ctx, s, readyWithin).Should(And(BeReady(), HaveCondition(v1.ConditionSTUNReady, "True", v1.ReasonAvailable)))
		awaitHandedOut(ctx, s, `"stun:`)
		tabs = openFour()
		Eventually(ctx, addresses).Should(HaveValue(And(HaveField("Hidden", 0), HaveField("Reflected", 4), HaveField("Divided", 0))))
		r := tabs[0].WaitFor(ctx, 45*time.Second, "bytes from the other subnet", func(r browser.Report) bool { return r.PeersSeen > 0 && r.Bytes.Viewer > 0 })
		note("with STUN: %d peers in the north, the first after %d ms, %d bytes", r.PeersSeen, r.FirstPeerMs, r.Bytes.Viewer)
		eventually(ctx, s, 30*time.Second).Should(And(BeReady(), Not(hidden)))
		for _, tab := range tabs {
			expectSmooth(tab.URL(), tab.Report(ctx))
		}
	}, SpecTimeout(4*time.Minute))
})
