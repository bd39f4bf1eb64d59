//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/e2e/cluster"
	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/netns"
	"github.com/p2pstream/p2pstream/test/lab/program"
)

// browsers are those of the process, by office and by whether their pages are on https. Specs that need the same one
// use it one after the other.
var browsers = map[string]*browser.Shared{}

// browserIn is a Chromium in an office. Its tabs end with the spec, or with the container of a BeforeAll.
func browserIn(ctx context.Context, o *cluster.Office) *browser.Browser {
	GinkgoHelper()
	return warmed(ctx, o.Name, origin.URL, o)
}

// secureBrowserIn is browserIn with pages on https.
func secureBrowserIn(ctx context.Context, o *cluster.Office) *browser.Browser {
	GinkgoHelper()
	return warmed(ctx, o.Name+" secure", origin.SecureURL, o, browser.HTTPS(certificate), browser.Resolving("*"+proxyDomain, nodes[0].IP))
}

// warmed is a browser that has played something once, without P2P: a browser is busy for a while after its start,
// and those of users were started long ago.
func warmed(ctx context.Context, name string, url func(path string) string, o *cluster.Office, opts ...browser.Option) *browser.Browser {
	GinkgoHelper()
	if b := browsers[name]; b != nil {
		return b.For(GinkgoTB())
	}
	defer holdAlone(ctx, startLock)()
	b, err := browser.Launch(append(opts, browser.InNamespace(netns.Open(GinkgoTB(), o.Netns)))...)
	Expect(err).NotTo(HaveOccurred())
	browsers[name] = b
	tab := b.For(GinkgoTB()).OpenPlain(ctx, url("/vod/dur_4/seg_2/ren_1/master.m3u8"))
	tab.WaitPlaying(ctx)
	tab.Close()
	return b.For(GinkgoTB())
}

// configURL is the URL in status from which players get their settings.
func configURL(ctx context.Context, s *v1.P2PStream) string {
	GinkgoHelper()
	e := current(ctx, s).Status.Endpoints
	Expect(e).To(HaveValue(HaveField("Config", Not(BeEmpty()))), "status.endpoints.config")
	return e.Config
}

// playerURL is the tracker's own page that plays the stream.
func playerURL(ctx context.Context, s *v1.P2PStream) string {
	GinkgoHelper()
	e := current(ctx, s).Status.Endpoints
	Expect(e).To(HaveValue(HaveField("Player", Not(BeEmpty()))), "status.endpoints.player")
	return e.Player
}

// open opens a page that plays a stream with only the settings from /v1/config, and waits for its
// first frame. It reports to telemetry as pages do that load the tracker's script.
func open(ctx context.Context, b *browser.Browser, s *v1.P2PStream, opts ...browser.TabOption) *browser.Tab {
	GinkgoHelper()
	defer holdAlone(ctx, startLock)()
	return openNow(ctx, b, s, opts...)
}

// openSettled is open for pages whose offload counts: nothing else starts while such a page looks for its first peers, and
// for those of the rendition that it turns to after a segment or two.
func openSettled(ctx context.Context, b *browser.Browser, s *v1.P2PStream) *browser.Tab {
	GinkgoHelper()
	const segments = 8
	defer holdAlone(ctx, startLock)()
	tab := openNow(ctx, b, s)
	tab.WaitFor(ctx, 20*time.Second, "the page to have settled", func(r browser.Report) bool { return len(r.Segments) >= segments })
	return tab
}

// openNow opens a page. The caller holds the lock.
func openNow(ctx context.Context, b *browser.Browser, s *v1.P2PStream, opts ...browser.TabOption) *browser.Tab {
	GinkgoHelper()
	config := configURL(ctx, s)
	script, err := url.Parse(config)
	Expect(err).NotTo(HaveOccurred())
	script.Path = strings.TrimSuffix(script.Path, "/v1/config") + "/p2pstream.js"
	tab := b.OpenHLSFrom(ctx, config, append(opts, browser.WithReporter(script.String()))...)
	tab.WaitPlaying(ctx)
	return tab
}

// watch waits until a tab has played for so many seconds more than in its report then.
func watch(ctx context.Context, tab *browser.Tab, then browser.Report, seconds float64) browser.Report {
	GinkgoHelper()
	return tab.WaitFor(ctx, time.Duration(seconds*float64(time.Second))+20*time.Second, fmt.Sprintf("%g s more to be played", seconds),
		func(r browser.Report) bool { return r.CurrentTime >= then.CurrentTime+seconds })
}

// expectSmooth fails if a page stalled for lack of media. Stalls with media buffered are caused by the
// machine, whose two cores run all of this; they are printed.
func expectSmooth(name string, r browser.Report) {
	GinkgoHelper()
	note("%s: %s", name, r)
	for _, stall := range r.StallDetails {
		note("%s: stall at %d ms for %.0f ms with %.1f s buffered, timers %.0f ms late", name, stall.AtMs, stall.Ms, stall.Buffered, stall.LateMs)
	}
	Expect(r.Rebuffers()).To(BeZero(), "%s stalled: %s", name, r.Dump())
	Expect(r.Errors).To(BeEmpty(), "%s failed: %s", name, r.Dump())
}

// expectGenuine compares every segment that pages accepted with the bytes of the origin, by SHA-256.
func expectGenuine(ctx context.Context, reports ...browser.Report) {
	GinkgoHelper()
	compared, err := browser.VerifySegments(ctx, trusting, reports...)
	Expect(err).NotTo(HaveOccurred())
	Expect(compared).To(BeNumerically(">", 0), "no segment was there to check")
	note("%d segments are the origin's by SHA-256", compared)
}

// trusting is a client that accepts every certificate: what it fetches is public and compared with what
// browsers got, which do check.
var trusting = &http.Client{Transport: trustEveryone(&http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}})}

// group is some of p2pstream's viewers in one process.
type group struct{ *program.Process }

// startViewers starts p2pstream's viewers in an office. Each checks every segment that it gets from a peer against the
// origin's own.
func startViewers(ctx context.Context, o *cluster.Office, s *v1.P2PStream, args ...string) group {
	GinkgoHelper()
	p, err := program.Launch(ctx, program.Spec{Command: "viewer", Name: "viewers in " + o.Name, Prefix: o.Prefix(), Args: append([]string{
		"--config-url", configURL(ctx, s), "--headless", "--json", "--verify", "--log-level", "warn"}, args...)})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(p.Kill)
	return group{p}
}

// startSeeded starts viewers as startViewers does, each a process with its metrics on a port of the office, from port on, and waits until
// each has had bytes from seeders.
func startSeeded(ctx context.Context, o *cluster.Office, s *v1.P2PStream, port, count int, args ...string) []group {
	GinkgoHelper()
	var all []group
	within := clientIn(o)
	for i := range count {
		admin := net.JoinHostPort("127.0.0.1", strconv.Itoa(port+i))
		all = append(all, startViewers(ctx, o, s, append([]string{"--admin-listen", admin}, args...)...))
	}
	for i, g := range all {
		Eventually(ctx, func(ctx context.Context) (float64, error) {
			m, err := scrape(ctx, within, net.JoinHostPort("127.0.0.1", strconv.Itoa(port+i)))
			return m.Sum("p2pstream_viewer_received_bytes_total", `source="seeder"`), err
		}).Should(BeNumerically(">", 0), "bytes from seeders of viewer %d of %s; its log: %s", i+1, s.Name, g.LogText)
	}
	return all
}

// stop ends the viewers with SIGTERM and returns what they measured.
func (g group) stop() viewer.Report {
	GinkgoHelper()
	Expect(g.Terminate()).To(Succeed(), g.LogText)
	var r viewer.Report
	Expect(json.Unmarshal(g.Output(), &r)).To(Succeed(), "the viewers' report: %s", g.Output())
	return r
}

// expectWell fails unless all viewers played, without a stall and without a wrong byte.
func expectWell(name string, count int, r viewer.Report) {
	GinkgoHelper()
	note("%s: %d viewers, offload %.3f, http %d seeder %d viewer %d, %d stalls", name, len(r.Viewers), r.Total.Offload,
		r.Total.Bytes.HTTP, r.Total.Bytes.Seeder, r.Total.Bytes.Viewer, r.Total.Stalls)
	Expect(r.Viewers).To(HaveLen(count))
	Expect(r.Viewers).To(HaveEach(HaveField("StartupMs", BeNumerically(">=", 0))), "a viewer of %s never started", name)
	Expect(r.Total.Stalls).To(BeZero(), "stalls in %s: %+v", name, r.Viewers)
	Expect(r.Total.DigestErrors).To(BeZero(), "wrong segments in %s: %+v", name, r.Viewers)
}
