package tracker

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	proxyproto "github.com/pires/go-proxyproto"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
)

// Addresses of this machine in tests: proxy is a trusted proxy, stranger is not.
const (
	proxyAddress    = "127.0.0.2"
	strangerAddress = "127.0.0.3"
)

// placed is a tracker whose sites show what it takes for the client's address.
func placed(from string) Config {
	return Config{
		AllowNoOrigin: true,
		ClientAddress: ClientAddressConfig{From: from, TrustedProxies: []string{proxyAddress + "/32"}},
		Stream:        &StreamConfig{SourceURL: "http://127.0.0.1:1/m.m3u8", Tickets: TicketsConfig{Optional: true}, AnySwarm: true},
		Sites: &SitesConfig{Config: sites.Config{List: []sites.Entry{
			{Name: "proxy", CIDRs: []string{proxyAddress}}, {Name: "stranger", CIDRs: []string{strangerAddress}},
			{Name: "berlin", CIDRs: []string{"198.51.100.0/24", "2001:db8::/32"}}, {Name: "vpn", CIDRs: []string{"203.0.113.0/24"}, Peering: sites.Off},
		}}},
	}
}

// dialer connects from one of this machine's addresses, and sends header first.
func dialer(from string, header []byte) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.DialContext(ctx, network, address)
		if err == nil && len(header) > 0 {
			_, err = c.Write(header)
		}
		return c, err
	}
}

// siteSeen asks for settings and returns the site that the answer names; "refused" if there is no answer.
func siteSeen(t *testing.T, s *Server, from string, first []byte, header http.Header) string {
	t.Helper()
	scheme := "http://"
	if s.cert != nil {
		scheme = "https://"
	}
	transport := &http.Transport{DialContext: dialer(from, first), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+s.Addr().String()+"/v1/config", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := (&http.Client{Transport: transport, Timeout: patience}).Do(req)
	if err != nil {
		return "refused"
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusBadRequest {
		return "refused"
	}
	var c struct {
		Site *string `json:"site"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&c); err != nil {
		t.Fatal(resp.Status, err)
	}
	if c.Site == nil {
		return "none"
	}
	return *c.Site
}

// siteOfSocket opens a WebSocket and returns the site of its session, "refused" if it is not accepted.
func siteOfSocket(t *testing.T, s *Server, from string, first []byte, header http.Header) string {
	t.Helper()
	d := websocket.Dialer{HandshakeTimeout: patience, NetDialContext: dialer(from, first), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	scheme := "ws://"
	if s.cert != nil {
		scheme = "wss://"
	}
	before := s.sockets.Viewers()
	ws, resp, err := d.Dial(scheme+s.Addr().String()+"/announce", header)
	if err != nil {
		return "refused"
	}
	_ = resp.Body.Close()
	c := &client{t, ws}
	c.send(announce(hashOne, peerID(1), 0))
	c.read()
	addr, n := s.streams.only.group.OneAddress()
	if before != 0 || n != 1 {
		t.Fatalf("%d sockets before, %d of %s", before, n, addr)
	}
	name := s.Sites().Lookup(addr).Name
	_ = ws.Close()
	for end := time.Now().Add(patience); s.sockets.Viewers() > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	return name
}

func TestForwardedHeaders(t *testing.T) {
	s := running(t, placed(config.FromForwarded))
	for name, c := range map[string]struct {
		from   string
		header http.Header
		want   string
	}{
		"X-Forwarded-For of the proxy":     {proxyAddress, http.Header{"X-Forwarded-For": {"203.0.113.9, 198.51.100.7"}}, "berlin"},
		"Forwarded of the proxy":           {proxyAddress, http.Header{"Forwarded": {`for=203.0.113.9, for="[2001:db8::5]:4711"`}}, "berlin"},
		"both, one of them a claim":        {proxyAddress, http.Header{"X-Forwarded-For": {"198.51.100.7"}, "Forwarded": {"for=203.0.113.9"}}, "proxy"},
		"the proxy without a header":       {proxyAddress, nil, "proxy"},
		"X-Forwarded-For of a stranger":    {strangerAddress, http.Header{"X-Forwarded-For": {"198.51.100.7"}}, "stranger"},
		"Forwarded of a stranger":          {strangerAddress, http.Header{"Forwarded": {"for=198.51.100.7"}}, "stranger"},
		"a stranger who claims to be one":  {strangerAddress, http.Header{"X-Forwarded-For": {"198.51.100.7, " + proxyAddress}}, "stranger"},
		"many addresses of the client's":   {proxyAddress, http.Header{"X-Forwarded-For": {strings.Repeat("198.51.100.7, ", 500) + "203.0.113.9"}}, "vpn"},
		"X-Real-IP means nothing to us":    {strangerAddress, http.Header{"X-Real-Ip": {"198.51.100.7"}, "True-Client-Ip": {"198.51.100.7"}}, "stranger"},
		"a header of the PROXY protocol's": {strangerAddress, http.Header{"Proxy": {"TCP4 198.51.100.7 198.51.100.7 1 2"}}, "stranger"},
	} {
		if got := siteSeen(t, s, c.from, nil, c.header); got != c.want {
			t.Errorf("%s: settings of %s, want %s", name, got, c.want)
		}
		if got := siteOfSocket(t, s, c.from, nil, c.header); got != c.want {
			t.Errorf("%s: socket in %s, want %s", name, got, c.want)
		}
	}
}

// TestSocketAddresses: without proxies, headers mean nothing.
func TestSocketAddresses(t *testing.T) {
	cfg := placed("")
	cfg.ClientAddress = ClientAddressConfig{}
	s := running(t, cfg)
	header := http.Header{"X-Forwarded-For": {"198.51.100.7"}, "Forwarded": {"for=198.51.100.7"}}
	if got := siteSeen(t, s, proxyAddress, nil, header); got != "proxy" {
		t.Errorf("settings of %s", got)
	}
	if got := siteOfSocket(t, s, proxyAddress, nil, header); got != "proxy" {
		t.Errorf("socket in %s", got)
	}
}

// header is one of the PROXY protocol.
func proxyHeader(t *testing.T, version byte, client string) []byte {
	t.Helper()
	addr := netip.MustParseAddr(client)
	to := netip.MustParseAddr("192.0.2.1")
	if addr.Is6() {
		to = netip.MustParseAddr("2001:db8:ffff::1")
	}
	h := proxyproto.HeaderProxyFromAddrs(version, net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, 40000)), net.TCPAddrFromAddrPort(netip.AddrPortFrom(to, 443)))
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestProxyProtocol(t *testing.T) {
	cert, key := writeCertificate(t, t.TempDir(), "tracker.example")
	for name, secure := range map[string]bool{"plain": false, "before TLS": true} {
		t.Run(name, func(t *testing.T) {
			cfg := placed(config.FromProxyProtocol)
			cfg.InternalListen = "127.0.0.1:0"
			if secure {
				cfg.TLSCert, cfg.TLSKey = cert, key
			}
			s := running(t, cfg)
			local := []byte("\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00")
			long := append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x0e\x00"), make([]byte, 0x0e00)...)
			for name, c := range map[string]struct {
				from  string
				first []byte
				want  string
			}{
				"version 1":              {proxyAddress, proxyHeader(t, 1, "198.51.100.7"), "berlin"},
				"version 2":              {proxyAddress, proxyHeader(t, 2, "203.0.113.9"), "vpn"},
				"version 2, IPv6":        {proxyAddress, proxyHeader(t, 2, "2001:db8::5"), "berlin"},
				"version 1, unknown":     {proxyAddress, []byte("PROXY UNKNOWN\r\n"), "proxy"},
				"a health check":         {proxyAddress, local, "proxy"},
				"the proxy without one":  {proxyAddress, nil, "refused"},
				"nonsense of the proxy":  {proxyAddress, []byte("PROXY TCP4 a b c d\r\n"), "refused"},
				"a header without end":   {proxyAddress, bytes.Repeat([]byte("PROXY "), 40), "refused"},
				"a very long header":     {proxyAddress, long, "refused"},
				"a stranger without one": {strangerAddress, nil, "stranger"},
				"a stranger with one":    {strangerAddress, proxyHeader(t, 1, "198.51.100.7"), "refused"},
				"a stranger with two":    {strangerAddress, proxyHeader(t, 2, "198.51.100.7"), "refused"},
			} {
				if got := siteSeen(t, s, c.from, c.first, http.Header{"X-Forwarded-For": {"203.0.113.1"}}); got != c.want {
					t.Errorf("%s: settings of %s, want %s", name, got, c.want)
				}
				if got := siteOfSocket(t, s, c.from, c.first, nil); got != c.want {
					t.Errorf("%s: socket in %s, want %s", name, got, c.want)
				}
			}
			// Seeders inside the cluster come without a header, whatever their address.
			conn, err := dialer(proxyAddress, []byte("GET / HTTP/1.0\r\n\r\n"))(t.Context(), "tcp", s.InternalAddr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(patience))
			if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, "426") {
				t.Errorf("the internal listener: %q %v", line, err)
			}
		})
	}
}

// TestAProxyThatIsNotTrusted: who forgot to trust a proxy learns its address.
func TestAProxyThatIsNotTrusted(t *testing.T) {
	cert, key := writeCertificate(t, t.TempDir(), "tracker.example")
	for name, secure := range map[string]bool{"plain": false, "before TLS": true} {
		t.Run(name, func(t *testing.T) {
			cfg := placed(config.FromProxyProtocol)
			if secure {
				cfg.TLSCert, cfg.TLSKey = cert, key
			}
			log := &buffer{}
			s := logging(t, cfg, textLog(log))
			const most = 3 // lines at once
			for i := range 2 * most {
				version := byte(1 + i%2)
				if got := siteSeen(t, s, strangerAddress, proxyHeader(t, version, "198.51.100.7"), nil); got != "refused" {
					t.Errorf("version %d: settings of %s", version, got)
				}
			}
			if got := siteSeen(t, s, strangerAddress, nil, nil); got != "stranger" {
				t.Errorf("without a header: settings of %s", got)
			}
			if got := counted(t, s.connections.refusedStranger); got != 2*most {
				t.Errorf("%v connections are counted, want %d", got, 2*most)
			}
			said := log.String()
			if n := strings.Count(said, "trustedProxies"); n == 0 || n > most {
				t.Errorf("%d lines: %s", n, said)
			}
			if !strings.Contains(said, "address="+strangerAddress) {
				t.Errorf("the log does not name %s: %s", strangerAddress, said)
			}
		})
	}
}

// TestLimitsOfClientsBehindAProxy: the connections of a proxy are limited by client, and the proxy itself is not.
func TestLimitsOfClientsBehindAProxy(t *testing.T) {
	cfg := placed(config.FromProxyProtocol)
	cfg.Limits.ConnectionsPerAddress = 2
	s := running(t, cfg)
	open := func(client string) (net.Conn, string) {
		c, err := dialer(proxyAddress, append(proxyHeader(t, 2, client), "GET / HTTP/1.1\r\nHost: t\r\n\r\n"...))(t.Context(), "tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(patience))
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		return c, line
	}
	held := func(client string) { // a connection that has not asked for anything yet
		before := s.connectionsOf(client)
		c, err := dialer(proxyAddress, append(proxyHeader(t, 2, client), "GET"...))(t.Context(), "tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		for end := time.Now().Add(patience); s.connectionsOf(client) == before; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the connection is not counted")
			}
		}
	}
	held("198.51.100.7")
	held("198.51.100.7")
	if _, line := open("198.51.100.7"); line != "" {
		t.Errorf("a third connection of one client: %q", line)
	}
	for i := range 5 {
		if _, line := open(fmt.Sprintf("198.51.100.%d", 50+i)); !strings.Contains(line, "426") {
			t.Errorf("another client of the proxy: %q", line)
		}
	}
}

// connectionsOf returns how many connections count for a client.
func (s *Server) connectionsOf(client string) int {
	s.accepted.mu.Lock()
	defer s.accepted.mu.Unlock()
	return s.accepted.of[netip.MustParseAddr(client)]
}

// FuzzProxyHeader: the header takes at most its bound, and what follows is read unchanged.
func FuzzProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 198.51.100.7 192.0.2.1 1 2\r\nGET / HTTP/1.1\r\n"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x07\xc0\x00\x02\x01\x00\x01\x00\x02rest"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x31\x00\xd8"))
	m, err := newConnectionMetrics(prometheus.NewRegistry())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = theirs.Write(sent)
			_ = theirs.Close()
		}()
		l := newConnections(nil, Config{}.WithDefaults(1).Limits, m)
		c := &connection{Conn: ours, l: l, expectsHeader: true}
		got, err := io.ReadAll(c)
		_ = c.Close()
		_ = theirs.Close()
		if err == nil && !bytes.HasSuffix(sent, got) {
			t.Fatalf("read %q of %q", got, sent)
		}
		if err == nil && len(sent)-len(got) > maxProxyHeader {
			t.Fatalf("a header of %d bytes", len(sent)-len(got))
		}
		if c.client.IsValid() && (c.client.Is4In6() || c.client.Zone() != "") || len(l.of) != 0 {
			t.Fatalf("client %s, %d counted", c.client, len(l.of))
		}
	})
}

// dialFrom opens a WebSocket from one of this machine's addresses.
func dialThrough(t *testing.T, s *Server, dial func(context.Context, string, string) (net.Conn, error), header http.Header) *client {
	t.Helper()
	d := websocket.Dialer{HandshakeTimeout: patience, NetDialContext: dial}
	ws, resp, err := d.Dial("ws://"+s.Addr().String()+"/announce", header)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	return &client{t, ws}
}
