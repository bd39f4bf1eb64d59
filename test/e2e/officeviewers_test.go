//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/e2e/cluster"
	testlab "github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/netns"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/seats"
)

// audience are the viewers of one office.
type audience interface {
	place() *cluster.Office
	start(ctx context.Context)
	awaitPlaying(ctx context.Context)
	// replaceGateway kills the viewer that gets most from seeders, and starts another one in its place.
	replaceGateway(ctx context.Context)
	// tellSources notes where the bytes of each viewer came from so far.
	tellSources(ctx context.Context)
	// stop ends all viewers and returns how many played, and how often they stalled.
	stop(ctx context.Context) (viewers, stalls int)
}

func newAudience(c officeCase, o *cluster.Office, s *v1.P2PStream, number int) audience {
	if c.tabs > 0 {
		return &pages{office: o, stream: s, count: c.tabs}
	}
	return &crowd{office: o, stream: s, count: viewersPerOffice}
}

// crowd is an audience of our own viewers. Each is a process, as each would be a computer.
type crowd struct {
	office *cluster.Office
	stream *v1.P2PStream
	count  int
	client *http.Client // within the office

	all    []*person
	stalls int // of those that were killed
}

// person is one viewer.
type person struct {
	*program.Process
	admin   string  // host:port in its office
	seeders float64 // bytes from seeders at the last look
	ended   error   // how it ended at the first attempt
}

// arrivals lets a viewer start when the processors have a moment for it. In an office each viewer has processors of its own;
// here two processors play all of them, and on a slow machine those that start would make others stall.
var arrivals = seats.New(1).Calm(0.4, 3*time.Second)

// Where viewers of an office serve their metrics, each on a port of its own.
const viewerMetrics = 9200

func (c *crowd) place() *cluster.Office { return c.office }

func (c *crowd) start(ctx context.Context) {
	GinkgoHelper()
	c.client = clientIn(c.office)
	for range c.count {
		arrivals.Start(func() { c.all = append(c.all, c.join(ctx, viewerMetrics+len(c.all))) })
	}
}

// join starts a viewer with its metrics on a port.
func (c *crowd) join(ctx context.Context, port int, args ...string) *person {
	GinkgoHelper()
	admin := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if args == nil {
		args = []string{"--config-url", configURL(ctx, c.stream)}
	}
	p, err := program.Launch(ctx, program.Spec{Command: "viewer", Name: fmt.Sprintf("viewer %d in %s", port-viewerMetrics+1, c.office.Name),
		Prefix: c.office.Prefix(), Args: append(args, "--headless", "--json", "--log-level", "warn", "--admin-listen", admin)})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(p.Kill)
	return &person{Process: p, admin: admin}
}

// clientIn is an HTTP client within an office.
func clientIn(o *cluster.Office) *http.Client {
	network := netns.Open(GinkgoTB(), o.Netns)
	return &http.Client{Timeout: 5 * time.Second, Transport: testlab.AsPage(&http.Transport{DialContext: network.Dial, DisableKeepAlives: true})}
}

// scrape reads the metrics of a program in an office.
func scrape(ctx context.Context, client *http.Client, admin string) (testlab.Metrics, error) {
	body, err := get(ctx, client, "http://"+admin+"/metrics")
	if err != nil {
		return nil, err
	}
	return testlab.ParseMetrics(body)
}

func (c *crowd) awaitPlaying(ctx context.Context) {
	GinkgoHelper()
	for _, p := range c.all {
		c.awaitPlayingOf(ctx, p)
	}
}

func (c *crowd) awaitPlayingOf(ctx context.Context, p *person) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) (float64, error) {
		m, err := scrape(ctx, c.client, p.admin)
		return m.Sum("p2pstream_viewer_received_bytes_total"), err
	}).Should(BeNumerically(">", 0), "bytes of %s; its log: %s", p.Name, p.LogText)
}

func (c *crowd) tellSources(ctx context.Context) {
	GinkgoHelper()
	var all []string
	for _, p := range c.all {
		m, err := scrape(ctx, c.client, p.admin)
		Expect(err).NotTo(HaveOccurred())
		mega := func(source string) float64 {
			return m.Sum("p2pstream_viewer_received_bytes_total", fmt.Sprintf("source=%q", source)) / 1e6
		}
		all = append(all, fmt.Sprintf("%.1f/%.1f/%.1f", mega("http"), mega("seeder"), mega("viewer")))
	}
	note("%s: MB that each viewer has from the origin, seeders and viewers: %s", c.office.Name, strings.Join(all, " "))
}

func (c *crowd) replaceGateway(ctx context.Context) {
	GinkgoHelper()
	chosen, most := 0, -1.0
	for i, p := range c.all {
		m, err := scrape(ctx, c.client, p.admin)
		Expect(err).NotTo(HaveOccurred())
		now := m.Sum("p2pstream_viewer_received_bytes_total", `source="seeder"`)
		if rise := now - p.seeders; rise > most {
			chosen, most = i, rise
		}
		p.seeders = now
	}
	old := c.all[chosen]
	m, err := scrape(ctx, c.client, old.admin)
	Expect(err).NotTo(HaveOccurred())
	c.stalls += int(m.Sum("p2pstream_viewer_stalls_total"))
	old.Kill()
	note("killed %s, which got %.1f MB from seeders since the last kill", old.Name, most/1e6)
	_, port, err := net.SplitHostPort(old.admin)
	Expect(err).NotTo(HaveOccurred())
	number, err := strconv.Atoi(port)
	Expect(err).NotTo(HaveOccurred())
	c.all[chosen] = c.join(ctx, number)
}

func (c *crowd) stop(context.Context) (viewers, stalls int) {
	GinkgoHelper()
	stalls = c.stalls
	var ending sync.WaitGroup
	for _, p := range c.all {
		ending.Go(func() { p.ended = p.Terminate() })
	}
	ending.Wait()
	var most, all float64 // Mbit/s
	for _, p := range c.all {
		r := p.end()
		Expect(r.Viewers).To(HaveEach(HaveField("StartupMs", BeNumerically(">=", 0))), "%s never started", p.Name)
		Expect(r.Total.WrongSegments).To(BeZero(), "wrong segments of %s", p.Name)
		if r.Total.Stalls > 0 {
			note("%s stalled: %+v\n%s", p.Name, r.Viewers, p.LogTail(2000))
		}
		stalls += r.Total.Stalls
		for _, v := range r.Viewers {
			most = max(most, float64(8*v.UploadBytes)/1000/float64(max(v.PlayedMs, 1)))
			all += float64(8*v.UploadBytes) / 1000 / float64(max(v.PlayedMs, 1))
		}
	}
	note("%s: viewers uploaded %.1f Mbit/s on average, one of them %.1f", c.office.Name, all/float64(len(c.all)), most)
	return len(c.all), stalls
}

// end ends a viewer and returns what it measured.
func (p *person) end() viewer.Report {
	GinkgoHelper()
	Expect(errors.Join(p.ended, p.Terminate())).To(Succeed(), p.LogText)
	var r viewer.Report
	Expect(json.Unmarshal(p.Output(), &r)).To(Succeed(), "the report of %s: %s", p.Name, p.Output())
	return r
}

// pages is an audience of tabs in one browser.
type pages struct {
	office *cluster.Office
	stream *v1.P2PStream
	count  int
	tabs   []*browser.Tab
}

func (p *pages) place() *cluster.Office { return p.office }

func (p *pages) start(ctx context.Context) {
	GinkgoHelper()
	b := browserIn(ctx, p.office)
	for range p.count {
		p.tabs = append(p.tabs, open(ctx, b, p.stream))
	}
}

func (p *pages) awaitPlaying(context.Context) {} // open has waited for the first frame

func (p *pages) tellSources(context.Context) {}

func (p *pages) replaceGateway(context.Context) { Fail("pages are not killed") }

func (p *pages) stop(ctx context.Context) (viewers, stalls int) {
	GinkgoHelper()
	for i, tab := range p.tabs {
		r := tab.Report(ctx)
		expectSmooth(fmt.Sprintf("page %d in %s", i+1, p.office.Name), r)
		stalls += r.Rebuffers()
		tab.Close()
	}
	return len(p.tabs), stalls
}
