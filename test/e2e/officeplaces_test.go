//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/test/e2e/cluster"
	"github.com/p2pstream/p2pstream/test/lab/program"
)

// get fetches a URL.
func get(ctx context.Context, c *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %s: %s", url, resp.Status, body)
	}
	return body, err
}

// startEdge starts a seeder in an office, as docs/edge.md says for computers outside of the cluster.
func startEdge(ctx context.Context, o *cluster.Office, s *v1.P2PStream) {
	GinkgoHelper()
	var token corev1.Secret
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: plan.TokenSecretName(s.Name)}, &token)).To(Succeed())
	dir := GinkgoT().TempDir()
	tokenFile, joinFile := filepath.Join(dir, "seeder.token"), filepath.Join(dir, o.Name+".join.json")
	Expect(os.WriteFile(tokenFile, token.Data[plan.TokenKey], 0o600)).To(Succeed())
	out, err := exec.CommandContext(ctx, built["p2pstream"], "join", "create", "--site", o.Name, "--token-file", tokenFile,
		"--tracker", current(ctx, s).Status.Endpoints.Announce, "--source", string(s.Spec.Source.URL), "--swarm-id", s.Spec.SwarmID, "-o", joinFile).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", out)
	const admin = "127.0.0.1:9191"
	p, err := program.Launch(ctx, program.Spec{Command: "seeder", Name: "seeder in " + o.Name, Prefix: o.Prefix(),
		Args: []string{"--join", joinFile, "--ice-listen", ":3479", "--admin-listen", admin, "--log-level", "warn"}})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(p.Kill)
	inside := clientIn(o)
	Eventually(ctx, func(ctx context.Context) error {
		_, err := get(ctx, inside, "http://"+admin+"/readyz")
		return err
	}).Should(Succeed(), "the seeder in %s; its log: %s", o.Name, p.LogText)
	// It has been there for long when an event begins: what was published before is no part of what is measured.
	Eventually(ctx, func(ctx context.Context) (float64, error) {
		m, err := scrape(ctx, inside, admin)
		if m.Sum("p2pstream_seeder_held_edge") == 0 {
			return 1e9, err
		}
		return m.Sum("p2pstream_seeder_segments_missing"), err
	}).WithTimeout(time.Minute).Should(BeNumerically("<=", 1), "segments that the seeder in %s lacks; its log: %s", o.Name, p.LogText)
}

// thinOffices makes two offices, or finds them. They are these specs' own: their lines are metered while other specs play in
// other offices.
func thinOffices(ctx context.Context) (offices []*cluster.Office) {
	GinkgoHelper()
	for _, name := range []string{"east", "west"} {
		o, err := lab.Office(ctx, name, "--rate", "20mbit")
		Expect(err).NotTo(HaveOccurred())
		offices = append(offices, o)
	}
	return offices
}

// vpnOffice is a range of addresses whose peering is off, with two viewers: one that does as its settings say, and one that
// takes the tracker's address from them and ignores the rest.
type vpnOffice struct {
	*cluster.Office
	stream *v1.P2PStream
	crowd  crowd
	from   int64 // bytes of segments from the origin before
}

// vpnOf makes the range, or finds it.
func vpnOf(ctx context.Context) *cluster.Office {
	GinkgoHelper()
	o, err := lab.Office(ctx, "vpn", "--rate", "20mbit")
	Expect(err).NotTo(HaveOccurred())
	return o
}

func openVPN(ctx context.Context, s *v1.P2PStream) *vpnOffice {
	GinkgoHelper()
	o := vpnOf(ctx)
	return &vpnOffice{Office: o, stream: s, crowd: crowd{office: o, stream: s, client: clientIn(o)}, from: segmentsFrom(o)}
}

// play starts the two viewers and waits until they play.
func (o *vpnOffice) play(ctx context.Context) {
	GinkgoHelper()
	body, err := get(ctx, o.crowd.client, configURL(ctx, o.stream))
	Expect(err).NotTo(HaveOccurred())
	var settings struct {
		Trackers []string `json:"trackers"`
		SwarmID  string   `json:"swarmID"`
		Site     string   `json:"site"`
		P2POff   string   `json:"p2pOff"`
	}
	Expect(json.Unmarshal(body, &settings)).To(Succeed())
	note("settings in the VPN: %s, P2P off: %s", settings.Site, settings.P2POff)
	Expect(settings.Site).To(Equal("vpn"))
	Expect(settings.P2POff).NotTo(BeEmpty())
	Expect(settings.Trackers).NotTo(BeEmpty(), "%s", body)
	o.crowd.all = append(o.crowd.all, o.crowd.join(ctx, viewerMetrics), o.crowd.join(ctx, viewerMetrics+1,
		"--source", string(o.stream.Spec.Source.URL), "--tracker", settings.Trackers[0], "--swarm-id", settings.SwarmID))
	o.crowd.awaitPlaying(ctx)
}

// expectAlone fails unless both viewers played, and not a packet went between them and peers.
func (o *vpnOffice) expectAlone(ctx context.Context, lines *lineLog) {
	GinkgoHelper()
	last := lines.readings[len(lines.readings)-1].lines[o.Name]
	note("VPN: %+v, %d bytes of segments from the origin", last, segmentsFrom(o.Office)-o.from)
	for _, p := range o.crowd.all {
		m, err := scrape(ctx, o.crowd.client, p.admin)
		Expect(err).NotTo(HaveOccurred())
		r := p.end()
		note("VPN: %s: %+v", p.Name, r.Viewers)
		Expect(m.Sum("p2pstream_viewer_peers")).To(BeZero(), "peers of %s", p.Name)
		Expect(r.Total.Bytes.Seeder+r.Total.Bytes.Viewer).To(BeZero(), "bytes from peers of %s", p.Name)
		Expect(r.Total.UploadBytes).To(BeZero(), "bytes that %s gave to peers", p.Name)
		Expect(r.Total.Bytes.HTTP).To(BeNumerically(">", 0), "bytes from the origin of %s", p.Name)
		Expect(r.Total.Stalls).To(BeZero(), "stalls of %s", p.Name)
	}
	Expect(last.UDP.Packets+last.UDPOut.Packets).To(BeZero(), "datagrams on the line of the VPN: %+v", last)
	Expect(last.Offices.Packets).To(BeZero(), "packets from the VPN to offices")
}
