package interop

import (
	"testing"

	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// TestBrowsers: pages of each browser can do what the tests of streams need, and tabs share no cookies. It says that a browser
// is at fault, and not our programs.
func TestBrowsers(t *testing.T) {
	t.Parallel()
	for _, kind := range browsers {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			pool.Take(t, 1)
			ctx := t.Context()
			b := sharedBrowserOf(t, kind)
			var one, other *browser.Tab
			pool.Start(func() { one, other = b.OpenBlank(ctx), b.OpenBlank(ctx) })
			one.Eval(ctx, `document.cookie = "a=b"; window.n = 1`)
			if own, others := browser.Value[string](ctx, one, `document.cookie`), browser.Value[string](ctx, other, `document.cookie`); own != "a=b" || others != "" {
				t.Errorf("the cookie is %q, and %q in another tab", own, others)
			}
			if got := browser.Value[map[string][]int](ctx, one, `new Promise((done) => setTimeout(() => done({ list: [n, 2] }), 10))`)["list"]; len(got) != 2 || got[0] != 1 || got[1] != 2 {
				t.Errorf("a promise has the value %v, want [1 2]", got)
			}
			for what, expression := range map[string]string{
				"is shown":              `!document.hidden`,
				"is a secure context":   `isSecureContext`,
				"has WebRTC":            `!!globalThis.RTCPeerConnection`,
				"plays H.264 and AAC":   `MediaSource.isTypeSupported('video/mp4; codecs="avc1.42C01E, mp4a.40.2"')`,
				"is told of each frame": `"requestVideoFrameCallback" in HTMLVideoElement.prototype`,
			} {
				if !browser.Value[bool](ctx, one, expression) {
					t.Errorf("not true: the page %s", what)
				}
			}
			one.Leave(ctx)
			one.Close()
			one.Close()
			if got := browser.Value[int](ctx, other, `1 + 1`); got != 2 {
				t.Errorf("after another tab was closed, 1 + 1 is %d", got)
			}
		})
	}
}
