//go:build e2e

package e2e

import (
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// What an enterprise CDN is bought for: the lines of two offices, each with ten viewers, carry a stream about once. The
// seeders are in the data centre, which is the cluster; the lines have 20 Mbit/s, and the stream 3 Mbit/s.
//
// `make test` plays a minute of the first case. `make offices` plays all of them for as long as officesVariable says.
const officesVariable = "P2PSTREAM_E2E_OFFICES"

// officeCase is one way to play in the offices, and what must hold.
type officeCase struct {
	name     string
	noSites  bool          // the tracker knows no offices
	edge     bool          // a seeder in each office
	vpn      bool          // viewers in a range where peering is off
	kill     time.Duration // how often a gateway viewer of each office is killed; 0: never
	tabs     int           // pages in a browser of each office; 0: our own viewers instead
	most     float64       // copies that a line may carry; 0: no limit
	sameSaid bool          // status says the same
}

// officeLimits of the cases, in the order of the table.
var officeCases = []officeCase{
	{name: "sites", vpn: true, most: 1.2, sameSaid: true},
	{name: "sites, a seeder in each office", edge: true, most: 1.05, sameSaid: true},
	{name: "sites, a gateway killed every 20 s", kill: 20 * time.Second, most: 1.6},
	{name: "sites, pages in Chromium", tabs: 3, most: 1.2, sameSaid: true},
	{name: "no sites", noSites: true},
}

// viewersPerOffice is how many of our own viewers play in each office.
const viewersPerOffice = 10

// The stream: one rendition of officeKbit, media of a lower rate that is filled up with what players skip.
const officePath = "/live/seg_4/window_15/ren_1/fill_3000/master.m3u8"

// shortLength is how long the case of `make test` plays: as long as the figures of status look back, and a little more.
const shortLength = 64 * time.Second

var _ = Describe("Two offices behind thin lines", Label("offices"), Serial, SpecPriority(1), func() {
	text := os.Getenv(officesVariable)
	if text == "" {
		It("carry a live stream about once, and none to a VPN range with peering off", func(ctx SpecContext) {
			playInOffices(ctx, officeCases[0], shortLength, &officeTable{})
		}, SpecTimeout(5*time.Minute))
		return
	}
	length, err := time.ParseDuration(text)
	var table officeTable
	Context("for "+text, Ordered, ContinueOnFailure, func() {
		for _, c := range officeCases {
			It(c.name, func(ctx SpecContext) {
				Expect(err).NotTo(HaveOccurred(), "%s", officesVariable)
				playInOffices(ctx, c, length, &table)
			}, SpecTimeout(length+5*time.Minute))
		}
	})
})
