package interop

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// TestPageTakesNoWrongMedia has pages with the tracker's script meet a peer that holds every segment with other bytes of the
// same length. The players are of different generations: each has swarms and numbers of its own.
func TestPageTakesNoWrongMedia(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*browser.Browser, context.Context, string, ...browser.TabOption) *browser.Tab{
		"hls.js": (*browser.Browser).OpenHLSFrom, "Shaka": (*browser.Browser).OpenShakaFrom,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool.Take(t, 1)
			takesNoWrongMedia(t, open)
		})
	}
}

func takesNoWrongMedia(t *testing.T, open func(*browser.Browser, context.Context, string, ...browser.TabOption) *browser.Tab) {
	t.Helper()
	ctx := t.Context()
	// Long enough for Shaka, which keeps 25 s behind the live edge and stalls in a shorter window, with peers or without.
	s := startStream(t, "/live/seg_2/window_30/ren_1/master.m3u8", nil)
	s.startSeeder(t)
	liar := inprocess.StartLiar(t, s.source, s.announceURL(t), nil)
	lab.Eventually(t, 30*time.Second, "the liar to hold the stream", inprocess.HoldsWindow(liar.Server))
	b := sharedBrowser(t)
	tabs := openTabs(t, 1, func() *browser.Tab {
		return open(b, ctx, s.http("/v1/config"), browser.WithReporter(s.http("/p2pstream.js")))
	})
	refused := func(r browser.Report) (n int) {
		for _, e := range r.SegmentErrors {
			if e.Type == "p2p-segment-validation-failed" {
				n++
			}
		}
		return n
	}
	r := tabs[0].WaitFor(ctx, 90*time.Second, "the page to be given wrong bytes, and to play on", func(r browser.Report) bool {
		return refused(r) > 0 && countSource(r, "p2p") >= 12 && r.CurrentTime > 10
	})
	lab.Eventually(t, 30*time.Second, "the page to report it", func() error {
		st, err := s.stats(t)
		if err == nil && (st.Integrity == nil || st.Integrity.Checks.Wrong == 0 || st.Integrity.Checks.Right == 0) {
			err = fmt.Errorf("%+v", st.Integrity)
		}
		return err
	})
	checkSmooth(t, []browser.Report{r})
	verifySegments(t, r)
	asked := browser.Value[float64](ctx, tabs[0].Tab, `performance.getEntriesByType("resource").filter((e) => e.name.includes("/v1/hashes")).length`)
	played := time.Since(tabs[0].opened).Seconds()
	t.Logf("%d refused of %d segments from peers; %.0f requests for hashes in %.0f s; %s; from the origin: %s", refused(r), countSource(r, "p2p"), asked, played, r, fromOrigin(r))
	checkParts(t, tabs[0].Tab, s)
	// One request for each segment of two seconds, and the key: an answer has about 500 bytes with its headers.
	if asked/played > 1 {
		t.Errorf("%.0f requests for hashes in %.0f s", asked, played)
	}
}

// checkParts calls the script's parts in the page: segments that a peer began and the origin completed are checked, too, and
// pages without WebCrypto compute the same digests.
func checkParts(t *testing.T, tab *browser.Tab, s *stream) {
	t.Helper()
	got := browser.Value[map[string]any](t.Context(), tab, fmt.Sprintf(`(async () => {
		const { checker, digest } = await import(%q);
		const config = await (await fetch(%q)).json();
		const listeners = {};
		const checks = {};
		const check = checker({ core: engine.core, addEventListener: (name, f) => (listeners[name] = f) }, config, checks);
		const [...segments] = [...engine.core.streams.values()][0].segments.values();
		const segment = segments.at(-4);
		const right = await (await fetch(segment.url)).arrayBuffer();
		const wrong = right.slice();
		new Uint8Array(wrong)[1000] ^= 1;
		const ask = (kind, data) => check(() => true, kind, segment.url, segment.byteRange, data);
		const out = { peerRight: await ask("P2P", right), peerWrong: await ask("P2P", wrong), origin: await ask("HTTP", wrong) };
		listeners.onSegmentAbort({ segment, downloadSource: "http" });
		out.stillOrigin = await ask("HTTP", wrong);
		listeners.onSegmentAbort({ segment, downloadSource: "p2p" });
		out.mixedWrong = await ask("HTTP", wrong);
		out.fetchedAgain = await ask("HTTP", wrong);
		listeners.onSegmentError({ segment, downloadSource: "p2p" });
		out.mixedRight = await ask("HTTP", right);
		const setup = (bytes) => engine.core.mainStreamConfig.httpRequestSetup(segment.url, segment.byteRange, undefined, bytes ? { start: bytes } : undefined);
		out.start = !(await setup(0));
		out.rest = !(await setup(1000));
		out.moreRest = !(await setup(2000));
		const whole = (r) => r?.url == segment.url && !r.headers.has("Range");
		out.restInVain = whole(await setup(2000));
		out.afterTheEnd = whole(await setup(right.byteLength));
		out.ownHook = await check(() => false, "P2P", segment.url, segment.byteRange, right);
		out.other = await check(() => true, "P2P", "https://other.test/", undefined, wrong);
		out.counts = JSON.stringify(checks);
		out.digests = 0;
		for (let n = 0; n < 200; n++) {
			const data = crypto.getRandomValues(new Uint8Array(n));
			const want = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
			if (digest(data).every((b, i) => b === want[i])) out.digests++;
		}
		const many = new Uint8Array(1250000);
		for (let n = 0; n < 5; n++) digest(many);
		let from = performance.now();
		for (let n = 0; n < 5; n++) digest(many);
		out.fallbackMs = (performance.now() - from) / 5;
		from = performance.now();
		await crypto.subtle.digest("SHA-256", many);
		out.subtleMs = performance.now() - from;
		return out;
	})()`, s.http("/p2pstream-check.mjs"), s.http("/v1/config")))
	t.Logf("checking 1.25 MB takes %.1f ms, %.1f ms without WebCrypto", got["subtleMs"], got["fallbackMs"])
	delete(got, "subtleMs")
	delete(got, "fallbackMs")
	want := map[string]any{
		"peerRight": true, "peerWrong": false, "origin": true, "stillOrigin": true, "mixedWrong": false, "fetchedAgain": true,
		"mixedRight": true, "ownHook": false, "other": true,
		"start": true, "rest": true, "moreRest": true, "restInVain": true, "afterTheEnd": true, "digests": 200.0,
		"counts": `{"right":3,"wrong":2,"unknown":1,"unproven":0}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
