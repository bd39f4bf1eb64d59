//go:build e2e

package e2e

import (
	"context"
	"math"
	"net/netip"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/test/e2e/cluster"
)

const (
	officeRate    = 3_000_000 // bits of media per second
	officeSegment = 4 * time.Second
	// statusSpan is how far the figures in status look back, and reportLag how old the reports in them are at most.
	statusSpan = time.Minute
	reportLag  = 5 * time.Second
	// sayWithin is how far the mean of status may be from what the lines carried. One minute has fifteen segments, and a report
	// tells within five seconds in which of two minutes one came: the figure of a single minute moves by 4 % (standard deviation).
	sayWithin       = 0.05
	sayWithinMinute = 0.15
)

// officeResult is what was measured of one office.
type officeResult struct {
	Case, Office string
	Viewers      int
	Copies       float64 // media down the line ÷ what was published meanwhile
	Wire         float64 // all bytes down the line, by its own counters, ÷ what was published meanwhile
	WithJoins    float64 // as Copies, from before the first viewer on; the published part is longer by what players hold back
	Said         float64 // mean copies in status; NaN: not known
	Meant        float64 // mean copies on the line in the minutes that these stand for
	Stalls       int
	HTTP         int64 // segment bytes from the origin
	Between      int64 // packets to other offices
	Killed       int
}

// playInOffices plays one case in both offices, adds what was measured to a table, and fails unless the case's promises hold.
func playInOffices(ctx SpecContext, c officeCase, length time.Duration, table *officeTable) {
	GinkgoHelper()
	offices := thinOffices(ctx)
	s := officeStream(ctx, c, offices)
	release := share(ctx, operatorLock) // a node that is closed to new pods would delay these
	serve(ctx, s)
	awaitHeld(ctx, s)
	release()
	if c.edge {
		for _, o := range offices {
			startEdge(ctx, o, s)
		}
	}
	metered := offices
	var remote *vpnOffice
	if c.vpn {
		remote = openVPN(ctx, s)
		metered = append(metered[:2:2], remote.Office)
	}
	var audiences []audience
	for i, o := range offices {
		audiences = append(audiences, newAudience(c, o, s, i))
	}
	Expect(lab.Meter(ctx, metered...)).To(Succeed())
	lines := &lineLog{offices: metered}
	lines.read(ctx, s)
	if c.tabs == 0 { // pages hold it each for itself
		release = holdAlone(ctx, startLock)
	}
	timed("everyone plays", func() {
		for _, a := range audiences { // each office has its line, so that none notices when the others begin
			a.start(ctx)
			a.awaitPlaying(ctx)
		}
	})
	release()
	if remote != nil {
		remote.play(ctx)
	}
	lines.settle(ctx, s, offices)
	from := lines.read(ctx, s)
	for _, a := range audiences {
		a.tellSources(ctx)
	}
	note("segments that came until then: %s", lines.sinceBegin(from))
	killed := watchOffices(ctx, c, s, lines, audiences, length)
	to := lines.read(ctx, s)
	if c.sameSaid {
		Eventually(ctx, func() bool { return lines.saidSince(from, lines.read(ctx, s)) }).WithTimeout(statusSpan).WithPolling(time.Second).
			Should(BeTrue(), "status has figures of a minute in which nothing but playing happened")
	}
	var results []officeResult
	for _, a := range audiences {
		r := officeResult{Case: c.name, Office: a.place().Name, Killed: killed}
		r.Viewers, r.Stalls = a.stop(ctx)
		lines.judge(&r, from, to)
		note("%s: seconds since the begin, and segments that came: %s", r.Office, lines.course(r.Office, from))
		results = append(results, r)
	}
	*table = append(*table, results...)
	note("%s", table)
	for _, r := range results {
		c.expect(r, length)
	}
	if remote != nil {
		remote.expectAlone(ctx, lines)
	}
}

// expect fails unless the promises of the case hold in an office, which was watched for so long.
func (c officeCase) expect(r officeResult, length time.Duration) {
	GinkgoHelper()
	if !c.noSites {
		Expect(r.Stalls).To(BeZero(), "stalls in %s", r.Office)
		Expect(r.Between).To(BeZero(), "packets from %s to other offices", r.Office)
	}
	if c.most > 0 {
		Expect(r.Copies).To(BeNumerically("<=", c.most), "copies of the stream on the line of %s", r.Office)
	}
	if c.sameSaid {
		within := sayWithin
		if length < 2*statusSpan {
			within = sayWithinMinute
		}
		Expect(math.Abs(r.Said-r.Meant)).To(BeNumerically("<=", within*r.Meant),
			"status says %.3f copies came to %s, its line %.3f", r.Said, r.Office, r.Meant)
	}
}

// officeStream is the stream of a case.
func officeStream(ctx context.Context, c officeCase, offices []*cluster.Office) *v1.P2PStream {
	GinkgoHelper()
	name := "offices-" + strconv.FormatInt(time.Now().UnixMilli()%1_000_000, 36)
	return stream(name, origin.URL(officePath), seeders(2), func(s *v1.P2PStreamSpec) {
		s.Tracker.Exposure.ExternalTrafficPolicy = v1.TrafficPolicyLocal // the tracker has to see where viewers are
		if c.noSites {
			return
		}
		s.Sites = &v1.SitesSpec{}
		if c.vpn {
			s.Sites.List = append(s.Sites.List, v1.SiteSpec{Name: "vpn", CIDRs: []v1.SiteRange{v1.SiteRange(vpnOf(ctx).CIDR)}, Peering: v1.PeeringOff})
		}
		for _, o := range offices {
			s.Sites.List = append(s.Sites.List, v1.SiteSpec{Name: v1.SiteName(o.Name), CIDRs: []v1.SiteRange{v1.SiteRange(o.CIDR)}})
		}
	})
}

// watchOffices reads lines and status for a while, and kills gateway viewers if the case says so.
func watchOffices(ctx context.Context, c officeCase, s *v1.P2PStream, lines *lineLog, audiences []audience, length time.Duration) (killed int) {
	GinkgoHelper()
	end := time.Now().Add(length)
	kill := time.Now().Add(c.kill)
	for time.Now().Before(end) {
		if c.kill > 0 && !time.Now().Before(kill) && time.Until(end) > c.kill/2 {
			kill = kill.Add(c.kill)
			for _, a := range audiences {
				a.replaceGateway(ctx)
			}
			killed++
		}
		time.Sleep(min(2*time.Second, max(time.Until(end), 0)))
		lines.read(ctx, s)
	}
	return killed
}

// segmentsFrom is how many bytes of segments an office fetched from the origin.
func segmentsFrom(o *cluster.Office) int64 {
	GinkgoHelper()
	prefix, err := netip.ParsePrefix(o.CIDR)
	Expect(err).NotTo(HaveOccurred())
	return origin.From(prefix).SegmentBytes
}
