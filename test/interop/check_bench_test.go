package interop

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// BenchmarkPageCheck is what the check of segments from peers costs a page of a stream of 5 Mbit/s: 1.25 MB each two
// seconds. A real Chromium runs the script of a real tracker, which has the hashes of a seeder. The checks run one after
// the other, so that their time is at most the CPU time of one core. The bytes are not those of the segment, which changes
// nothing: they are digested and compared. webcrypto is what pages of https and localhost use, plain what others do.
func BenchmarkPageCheck(b *testing.B) {
	s := startStream(b, "/vod/seg_2/dur_60/ren_1/master.m3u8", nil)
	s.startSeeder(b)
	tab := browser.Start(b).OpenURL(b.Context(), s.http("/player"))
	lab.Eventually(b, 30*time.Second, "the hash of a segment", func() error {
		st, err := s.stats(b)
		if err == nil && st.Integrity == nil {
			err = fmt.Errorf("%+v", st)
		}
		return err
	})
	for name, crypto := range map[string]string{"webcrypto": "true", "plain": "false"} {
		b.Run(name, func(b *testing.B) {
			got := browser.Value[map[string]float64](b.Context(), tab, fmt.Sprintf(`(async () => {
				if (!%s) Object.defineProperty(globalThis, "crypto", { value: undefined });
				const { checker } = await import(%q + "?" + %q);
				const config = await (await fetch(%q)).json();
				const segments = new Map([["segment", { externalId: 3 }]]);
				const core = { streams: new Map([["main", { type: "main", index: 0, segments }]]), mainStreamConfig: { swarmId: config.swarmID } };
				const counts = {};
				const check = checker({ core, addEventListener() {} }, config, counts);
				const data = new Uint8Array(1250000).buffer;
				const once = () => check(() => true, "P2P", "segment", undefined, data);
				for (let n = 0; n < 5; n++) await once();
				const from = performance.now();
				for (let n = 0; n < %d; n++) await once();
				return { ms: performance.now() - from, wrong: counts.wrong };
			})()`, crypto, s.http("/p2pstream-check.mjs"), name, s.http("/v1/config"), b.N))
			if got["wrong"] != float64(b.N+5) {
				b.Fatalf("%v of %d segments were compared with a hash", got["wrong"], b.N+5)
			}
			each := got["ms"] / float64(b.N)
			b.ReportMetric(each, "ms/segment")
			b.ReportMetric(each/2000*100, "%core")
			b.ReportMetric(0, "ns/op")
		})
	}
}
