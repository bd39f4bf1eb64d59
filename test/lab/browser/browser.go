package browser

import (
	"crypto/tls"
	"log"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/p2pstream/p2pstream/test/lab/netns"
)

// Browser is one browser with any number of tabs, as one test uses it. Each tab has a window, a cache and cookies of
// its own, as viewers on different machines do. Tabs end with the test.
type Browser struct {
	tb testing.TB
	*running
}

// running is the process, and the pages that it is served.
type running struct {
	pages  *pages
	driver driver
	close  func()
}

// Kind is a browser that people have.
type Kind string

// The browsers that tests play in.
const (
	Chromium Kind = "Chromium"
	Firefox  Kind = "Firefox" // Debian's, with extended support
)

type options struct {
	kind           Kind
	namespace      *netns.Namespace
	showAddresses  bool
	refuseAutoplay bool
	certificate    *tls.Certificate
	policies       func(origin string) ([]byte, error)
	resolves       string
}

// Option changes how a browser is started.
type Option func(*options)

// Of starts a browser of that kind. Without it Chromium is started.
func Of(kind Kind) Option { return func(o *options) { o.kind = kind } }

// InNamespace runs the browser in another network.
func InNamespace(n *netns.Namespace) Option { return func(o *options) { o.namespace = n } }

// ShowAddresses makes a browser put its own addresses into candidates, where it hides them behind mDNS
// names by default. Tabs of one browser find each other either way.
func ShowAddresses() Option { return func(o *options) { o.showAddresses = true } }

// RefuseAutoplay makes a browser start no video that has sound before the user has clicked, as in its default settings.
func RefuseAutoplay() Option { return func(o *options) { o.refuseAutoplay = true } }

// HTTPS serves the pages over https with this certificate, and makes Chromium trust every chain that
// contains one of its keys: that of the server, or of the authority in the chain.
func HTTPS(certificate tls.Certificate) Option {
	return func(o *options) { o.certificate = &certificate }
}

// Resolving makes Chromium find hosts of a pattern, such as *.example.com, at an address, without DNS.
func Resolving(hosts, address string) Option {
	return func(o *options) { o.resolves = "MAP " + hosts + " " + address }
}

// ManagedBy makes Chromium read a policy file, as from the folder into which administrators put it. policies gets the origin of
// the pages. It needs root: Chromium runs in a mount namespace of its own, and the machine's folder stays as it is.
func ManagedBy(policies func(origin string) ([]byte, error)) Option {
	return func(o *options) { o.policies = policies }
}

// Start starts a browser for one test, with which it ends.
func Start(tb testing.TB, opts ...Option) *Browser {
	tb.Helper()
	c, err := launch(tb.Logf, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.close)
	return &Browser{tb: tb, running: c}
}

// Shared is one browser for many tests: starting one costs as much as half a minute of playing.
type Shared struct{ running *running }

// Launch starts a browser until Close. Errors name the next step.
func Launch(opts ...Option) (*Shared, error) {
	c, err := launch(log.Printf, opts)
	if err != nil {
		return nil, err
	}
	return &Shared{c}, nil
}

// For is the browser for one test, with which its tabs end.
func (s *Shared) For(tb testing.TB) *Browser { return &Browser{tb: tb, running: s.running} }

// Close ends the browser and waits until it is gone.
func (s *Shared) Close() { s.running.close() }

func launch(logf func(string, ...any), opts []Option) (_ *running, err error) {
	o := options{kind: Chromium}
	for _, opt := range opts {
		opt(&o)
	}
	var closers []func()
	closeAll := sync.OnceFunc(func() {
		for _, f := range slices.Backward(closers) {
			f()
		}
	})
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	home, err := makeHome(o.kind)
	if err != nil {
		return nil, err
	}
	// Chromium's crash handler outlives the browser by a moment and may still write.
	closers = append(closers, func() { _ = os.RemoveAll(home) })
	p, err := servePages(o)
	if err != nil {
		return nil, err
	}
	closers = append(closers, p.close)
	start := startChromium
	if o.kind == Firefox {
		start = startFirefox
	}
	d, err := start(logf, home, p.base, o)
	if err != nil {
		return nil, err
	}
	closers = append(closers, d.close)
	return &running{pages: p, driver: d, close: closeAll}, nil
}
