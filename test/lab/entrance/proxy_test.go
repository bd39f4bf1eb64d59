package entrance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pires/go-proxyproto"

	"github.com/p2pstream/p2pstream/test/e2e/pki"
	"github.com/p2pstream/p2pstream/test/lab"
)

// trackerLike answers with what it was asked and by whom, and echoes on WebSockets; it expects the PROXY protocol.
func trackerLike(t *testing.T, name string, secure *tls.Config) (address string) {
	t.Helper()
	upgrade := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/announce") {
			_, _ = fmt.Fprintf(w, "%s %s %s %s", name, r.URL.Path, r.RemoteAddr, r.Header.Get("X-Forwarded-For"))
			return
		}
		c, err := upgrade.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		for {
			kind, message, err := c.ReadMessage()
			if err != nil || c.WriteMessage(kind, message) != nil {
				return
			}
		}
	}))
	s.Listener = &proxyproto.Listener{Listener: s.Listener, ConnPolicy: func(proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) { return proxyproto.REQUIRE, nil }}
	address = s.Listener.Addr().String()
	if secure != nil {
		s.TLS = secure
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return address
}

// eachProxy runs a test with each of the proxies.
func eachProxy(t *testing.T, test func(t *testing.T, kind Proxy)) {
	t.Parallel()
	for _, kind := range []Proxy{HAProxy, Caddy} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, kind)
		})
	}
}

// startedProxy is a proxy with a table of two paths of a host and, if it can, a host whose TLS passes through.
type startedProxy struct {
	proxy
	table table
	roots *x509.CertPool
}

func startProxy(t *testing.T, kind Proxy, idle time.Duration) *startedProxy {
	t.Helper()
	authority := lab.Must[*pki.Authority](t)(pki.New("entrance"))
	here, there := lab.Must[pki.Pair](t)(authority.Issue("a.test")), lab.Must[pki.Pair](t)(authority.Issue("b.test"))
	own := lab.Must[tls.Certificate](t)(there.TLS())
	p := &startedProxy{proxy: lab.Must[proxy](t)(newProxy(kind, "", "")), roots: x509.NewCertPool()}
	p.roots.AppendCertsFromPEM(authority.PEM)
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	p.table = table{Listen: lab.FreeAddress(t), Idle: idle, ProxyProtocol: true, Certificates: []certificate{{string(here.Certificate), string(here.Key)}}, Routes: []route{
		{Host: "a.test", Path: "/", Upstream: trackerLike(t, "all", nil)},
		{Host: "a.test", Path: "/live", Upstream: trackerLike(t, "live", nil)},
	}}
	if kind == HAProxy {
		p.table.Routes = append(p.table.Routes,
			route{Host: "b.test", Upstream: trackerLike(t, "through", &tls.Config{Certificates: []tls.Certificate{own}}), Through: true})
	}
	if err := p.load(t.Context(), p.table); err != nil {
		t.Fatal(err)
	}
	return p
}

// viewer is not the address that the proxy has.
const viewer = "127.0.0.9"

// dial connects to the proxy, whatever the name is.
func (p *startedProxy) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(viewer)}}).DialContext(ctx, network, p.table.Listen)
}

// get asks for a URL on a connection of its own, and returns the answer and the address that it was asked from.
func (p *startedProxy) get(t *testing.T, url string) (answer, from string, major int) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{RootCAs: p.roots},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := p.dial(ctx, network, address)
			if err == nil {
				from = c.LocalAddr().String()
			}
			return c, err
		}}}
	resp := lab.Must[*http.Response](t)(client.Get(url))
	defer func() { _ = resp.Body.Close() }()
	return string(lab.Must[[]byte](t)(io.ReadAll(resp.Body))), from, resp.ProtoMajor
}

func (p *startedProxy) webSocket(t *testing.T) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: p.roots}, NetDialContext: p.dial, HandshakeTimeout: 10 * time.Second}
	c, resp, err := d.Dial("wss://a.test/live/announce", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func echo(t *testing.T, c *websocket.Conn) {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.ReadMessage(); err != nil || string(got) != "x" {
		t.Fatalf("%q, %v", got, err)
	}
}

// TestProxyLeads: paths are kept and chosen by whole parts, TLS passes through, and upstreams are told the addresses of clients.
func TestProxyLeads(t *testing.T) { eachProxy(t, proxyLeads) }

func proxyLeads(t *testing.T, kind Proxy) {
	p := startProxy(t, kind, time.Minute)
	for url, want := range map[string]string{
		"https://a.test/v1/config":      "all /v1/config",
		"https://a.test/live":           "live /live",
		"https://a.test/live/v1/config": "live /live/v1/config",
		"https://a.test/livestream":     "all /livestream",
	} {
		got, from, major := p.get(t, url)
		if kind == Caddy {
			from = viewer + ":0" // Caddy tells no ports
		}
		if got != want+" "+from+" "+viewer || major != 2 {
			t.Errorf("%s by HTTP/%d: %q, want %q from %s", url, major, got, want, from)
		}
	}
	if kind != HAProxy {
		return
	}
	if got, from, _ := p.get(t, "https://b.test/live"); got != "through /live "+from+" " {
		t.Errorf("through: %q from %s", got, from)
	}
}

// TestProxyKeepsWhatIsOpen: a WebSocket outlives other configurations, and one that cannot be loaded changes nothing.
func TestProxyKeepsWhatIsOpen(t *testing.T) { eachProxy(t, proxyKeepsWhatIsOpen) }

func proxyKeepsWhatIsOpen(t *testing.T, kind Proxy) {
	p := startProxy(t, kind, time.Minute)
	c := p.webSocket(t)
	echo(t, c)
	next := p.table
	next.Routes = append([]route{{Host: "a.test", Path: "/new", Upstream: p.table.Routes[1].Upstream}}, p.table.Routes...)
	if err := p.load(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := p.get(t, "https://a.test/new"); !strings.HasPrefix(got, "live /new ") {
		t.Errorf("after a change: %q", got)
	}
	echo(t, c)
	wrong := next
	wrong.Certificates = []certificate{{"no certificate", "no key"}}
	if err := p.load(t.Context(), wrong); err == nil {
		t.Error("a wrong certificate is loaded")
	}
	if got, _, _ := p.get(t, "https://a.test/new"); !strings.HasPrefix(got, "live /new ") {
		t.Errorf("after a wrong change: %q", got)
	}
	echo(t, c)
}

// TestProxyEndsWhatIsIdle, and not what is used.
func TestProxyEndsWhatIsIdle(t *testing.T) { eachProxy(t, proxyEndsWhatIsIdle) }

func proxyEndsWhatIsIdle(t *testing.T, kind Proxy) {
	const idle = 4 * time.Second
	p := startProxy(t, kind, idle)
	c, used := p.webSocket(t), p.webSocket(t)
	ended := make(chan error, 1)
	go func() {
		_, _, err := c.ReadMessage()
		ended <- err
	}()
	tick := time.NewTicker(idle / 16)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("something was sent")
			}
			echo(t, used)
			return
		case <-tick.C:
			echo(t, used)
		case <-limit:
			t.Fatal("a WebSocket without traffic stays")
		}
	}
}

// TestProxyThatEnds is an error, and leaves no worker.
func TestProxyThatEnds(t *testing.T) { eachProxy(t, proxyThatEnds) }

func proxyThatEnds(t *testing.T, kind Proxy) {
	h := lab.Must[proxy](t)(newProxy(kind, "", ""))
	listen := lab.FreeAddress(t)
	if err := h.load(t.Context(), table{Listen: listen, Idle: time.Minute}); err != nil {
		t.Fatal(errors.Join(err, h.stop()))
	}
	if err := processOf(h).Kill(); err != nil {
		t.Fatal(err)
	}
	h.over() <- <-h.over()
	if err := h.stop(); !errors.Is(err, errEnded) {
		t.Errorf("stop returns %v", err)
	}
	lab.Eventually(t, 30*time.Second, "the worker to end", func() bool {
		c, err := net.Dial("tcp", listen)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
}

func processOf(p proxy) *os.Process {
	if c, ok := p.(*caddy); ok {
		return c.cmd.Process
	}
	return p.(*haproxy).cmd.Process
}

// TestRunSaysWhatFails, and tries again.
func TestRunSaysWhatFails(t *testing.T) {
	t.Parallel()
	c := newController(t, objects()...)
	c.Listen, c.Binary = "127.0.0.1:0", "/bin/false"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	said := make(chan error, 1)
	c.Log = func(err error) {
		select {
		case said <- err:
		default:
		}
		cancel()
	}
	if err := Run(ctx, c.Options); err != nil {
		t.Error(err)
	}
	if err := <-said; !strings.Contains(err.Error(), "checking configuration") {
		t.Error(err)
	}
}
