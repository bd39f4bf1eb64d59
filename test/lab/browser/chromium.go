package browser

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// executable finds Chromium, or ends the test with the next step.
func executable(tb testing.TB) string {
	tb.Helper()
	for _, name := range []string{os.Getenv("P2PSTREAM_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	tb.Fatal("no Chromium found; run: make deps, or name one in P2PSTREAM_CHROMIUM")
	return ""
}

// allocatorOptions are how Chromium is started. It is driven through a pipe, so that it can live in
// another network.
func allocatorOptions(tb testing.TB, o options) []chromedp.ExecAllocatorOption {
	tb.Helper()
	home := makeHome(tb)
	disabled := []string{"IntensiveWakeUpThrottling", "Translate", "MediaRouter", "OptimizationHints"}
	if o.showAddresses {
		disabled = append(disabled, "WebRtcHideLocalIpsWithMdns")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], //nolint:gocritic // an array: append copies it
		chromedp.ExecPath(executable(tb)),
		chromedp.UserDataDir(filepath.Join(home, "profile")),
		chromedp.Env("TMPDIR="+home),
		// Whatever looks for hosts outside makes noise in a closed network.
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-search-engine-choice-screen", true),
		chromedp.Flag("disable-features", strings.Join(disabled, ",")),
		chromedp.Flag("mute-audio", true),
		chromedp.WindowSize(200, 120),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
	)
	// The sandbox needs either a helper that minimal installations lack or rights that containers lack;
	// the pages are our own.
	opts = append(opts, chromedp.NoSandbox)
	if o.namespace != nil {
		opts = append(opts, chromedp.ModifyCmdFunc(o.namespace.Wrap))
	}
	if o.certificate != nil {
		opts = append(opts, chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(keyDigests(tb, *o.certificate), ",")))
	}
	return opts
}

// keyDigests names the public keys of a chain as Chromium's flags do.
func keyDigests(tb testing.TB, chain tls.Certificate) []string {
	tb.Helper()
	var digests []string
	for _, der := range chain.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			tb.Fatalf("reading the certificate of the pages: %v", err)
		}
		sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
		digests = append(digests, base64.StdEncoding.EncodeToString(sum[:]))
	}
	return digests
}

// makeHome makes the directory for all that Chromium writes. Its path is short, because sockets in it
// have paths of at most 107 bytes, which the name of a test can use up.
func makeHome(tb testing.TB) string {
	tb.Helper()
	home, err := os.MkdirTemp("", "p2ps-chromium-")
	if err != nil {
		tb.Fatal(err)
	}
	// The crash handler outlives the browser by a moment and may still write.
	tb.Cleanup(func() { _ = os.RemoveAll(home) })
	return home
}
