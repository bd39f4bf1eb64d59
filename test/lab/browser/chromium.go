package browser

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
)

// executable finds Chromium. The error names the next step.
func executable() (string, error) {
	for _, name := range []string{os.Getenv("P2PSTREAM_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("finding Chromium: there is none; run: make deps, or name one in P2PSTREAM_CHROMIUM")
}

// allocatorOptions are how Chromium is started. It is driven through a pipe, so that it can live in
// another network.
func allocatorOptions(home, origin string, o options) ([]chromedp.ExecAllocatorOption, error) {
	path, err := executable()
	if err != nil {
		return nil, err
	}
	disabled := []string{"IntensiveWakeUpThrottling", "Translate", "MediaRouter", "OptimizationHints"}
	if o.showAddresses {
		disabled = append(disabled, "WebRtcHideLocalIpsWithMdns")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], //nolint:gocritic // an array: append copies it
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(home, "profile")),
		chromedp.Env("TMPDIR="+home),
		// Features that connect to hosts on the Internet log errors in a closed network.
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
	wrap := func(*exec.Cmd) {}
	if o.policies != nil {
		if wrap, err = managed(path, home, origin, o.policies); err != nil {
			return nil, err
		}
	}
	if n := o.namespace; n != nil {
		within := wrap
		wrap = func(cmd *exec.Cmd) {
			within(cmd)
			n.Wrap(cmd)
		}
	}
	if o.policies != nil || o.namespace != nil {
		opts = append(opts, chromedp.ModifyCmdFunc(wrap))
	}
	if o.resolves != "" {
		opts = append(opts, chromedp.Flag("host-resolver-rules", o.resolves))
	}
	if o.certificate != nil {
		digests, err := keyDigests(*o.certificate)
		if err != nil {
			return nil, err
		}
		opts = append(opts, chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(digests, ",")))
	}
	return opts, nil
}

// keyDigests names the public keys of a chain as Chromium's flags do.
func keyDigests(chain tls.Certificate) ([]string, error) {
	var digests []string
	for _, der := range chain.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("reading the certificate of the pages: %w", err)
		}
		sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
		digests = append(digests, base64.StdEncoding.EncodeToString(sum[:]))
	}
	return digests, nil
}

// makeHome makes the directory for all files that Chromium writes. Its path is short, because sockets in it have
// paths of at most 107 bytes, which the name of a test can use up.
func makeHome() (string, error) {
	home, err := os.MkdirTemp("", "p2ps-chromium-")
	if err != nil {
		return "", fmt.Errorf("making a directory for Chromium: %w", err)
	}
	return home, nil
}
