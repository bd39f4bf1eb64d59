package interop

import (
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/descriptions"
	"github.com/p2pstream/p2pstream/runtime/policies"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/netns"
)

// gatheredOffer is a script that makes an offer with all candidates, as p2p-media-loader does, without a STUN server.
const gatheredOffer = `(async () => {
	const pc = new RTCPeerConnection({iceServers: []});
	pc.createDataChannel("x");
	await pc.setLocalDescription();
	if (pc.iceGatheringState !== "complete")
		await new Promise((done) => pc.addEventListener("icegatheringstatechange", () => pc.iceGatheringState === "complete" && done()));
	const sdp = pc.localDescription.sdp;
	pc.close();
	return sdp;
})()`

// TestPoliciesShowLocalAddresses starts Chromium without policies, with those that we write for its pages, and with those for
// other pages: only ours make it show the addresses that it hides.
func TestPoliciesShowLocalAddresses(t *testing.T) {
	t.Parallel()
	pool.Take(t, 1)
	ctx := t.Context()
	n := netns.New(t)
	offer := func(options ...browser.Option) (descriptions.Description, string) {
		t.Helper()
		b := startBrowser(t, append(options, browser.InNamespace(n))...)
		tab := b.OpenBlank(ctx)
		defer tab.Close()
		sdp := browser.Value[string](ctx, tab, gatheredOffer)
		d, err := descriptions.Clean(signaling.AppendText(nil, sdp), descriptions.Rules{})
		if err != nil {
			t.Fatalf("%v: %s", err, sdp)
		}
		return d, sdp
	}
	for _, c := range []struct {
		name string
		// pages that the policies are for, from the origin of the browser's pages; nil: there are no policies.
		pages func(origin string) string
		want  descriptions.Hosts
	}{
		{"no policies", nil, descriptions.HostsHidden},
		{"policies for other pages", func(string) string { return "https://intranet.example.com" }, descriptions.HostsHidden},
		{"policies for these pages", func(origin string) string { return origin }, descriptions.HostsShown},
	} {
		var options []browser.Option
		if c.pages != nil {
			options = append(options, browser.ManagedBy(func(origin string) ([]byte, error) {
				set, err := policies.New("town-hall", []string{c.pages(origin)})
				return set.File(policies.ChromeJSON).Content, err
			}))
		}
		d, sdp := offer(options...)
		if shown := strings.Contains(sdp, n.IP.String()); d.Hosts != c.want || shown != (c.want == descriptions.HostsShown) {
			t.Errorf("%s: hosts %d, want %d; the offer has %s: %v: %s", c.name, d.Hosts, c.want, n.IP, shown, sdp)
		}
	}
}
