package browser

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium drives Chromium by its own protocol, through a pipe.
type chromium struct {
	ctx             context.Context
	cancel          context.CancelFunc
	cancelAllocator context.CancelFunc
}

func startChromium(logf func(string, ...any), home, origin string, o options) (driver, error) {
	settings, err := allocatorOptions(home, origin, o)
	if err != nil {
		return nil, err
	}
	c := &chromium{}
	var allocator context.Context
	allocator, c.cancelAllocator = chromedp.NewExecAllocator(context.Background(), settings...)
	c.ctx, c.cancel = chromedp.NewContext(allocator, chromedp.WithErrorf(logf))
	if err := chromedp.Do(c.ctx); err != nil {
		c.close()
		return nil, fmt.Errorf("starting Chromium: %w; run it by hand to see why: chromium --headless=new about:blank", err)
	}
	return c, nil
}

func (c *chromium) close() {
	c.cancel()
	c.cancelAllocator() // it waits until the process is gone
}

func (c *chromium) open(context.Context) (page, error) {
	p := &chromiumPage{}
	p.ctx, p.end = chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	// The first action makes the tab and binds its life to the context, which therefore has no limit.
	if err := chromedp.Do(p.ctx); err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

// chromiumPage is a tab of Chromium.
type chromiumPage struct {
	ctx context.Context
	end context.CancelFunc
}

func (p *chromiumPage) close() { p.end() }

func (p *chromiumPage) navigate(ctx context.Context, url string) error {
	_, err := act(ctx, p, chromedp.Navigate(url))
	return err
}

func (p *chromiumPage) evaluate(ctx context.Context, s script) ([]byte, error) {
	byUser := func(e *runtime.EvaluateParams) { e.UserGesture = &s.byUser }
	if !s.valued {
		_, err := act(ctx, p, chromedp.Evaluate[chromedp.Void](s.text, chromedp.EvalAwaitPromise, byUser))
		return nil, err
	}
	return act(ctx, p, chromedp.Evaluate[[]byte](s.text, chromedp.EvalAwaitPromise, byUser))
}

// act does an action in the tab, bound to the caller's context as well as the tab's.
func act[T any](ctx context.Context, p *chromiumPage, action chromedp.Action[T]) (T, error) {
	bound, cancel := context.WithCancel(p.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	return chromedp.Run(bound, action)
}

// allocatorOptions are how Chromium is started. It is driven through a pipe, so that it can live in
// another network.
func allocatorOptions(home, origin string, o options) ([]chromedp.ExecAllocatorOption, error) {
	path, err := find(Chromium, "P2PSTREAM_CHROMIUM", "chromium", "chromium-browser", "google-chrome")
	if err != nil {
		return nil, err
	}
	disabled := []string{"IntensiveWakeUpThrottling", "Translate", "MediaRouter", "OptimizationHints"}
	if o.showAddresses {
		disabled = append(disabled, "WebRtcHideLocalIpsWithMdns")
	}
	autoplay := "no-user-gesture-required"
	if o.refuseAutoplay {
		autoplay = "user-gesture-required"
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
		chromedp.Flag("autoplay-policy", autoplay),
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
