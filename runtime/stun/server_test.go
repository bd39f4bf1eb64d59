package stun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"github.com/prometheus/client_golang/prometheus"
)

// start runs a server until the test ends and returns it with its port.
func start(t testing.TB, cfg Config) (*Server, uint16) {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = ":0"
	}
	s, err := New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Addr() != nil {
		t.Fatal("an address before listening")
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	select {
	case <-s.Ready():
	case err := <-done:
		done <- nil
		t.Fatalf("Run: %v", err)
	}
	return s, uint16(s.Addr().(*net.UDPAddr).Port)
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestProbe(t *testing.T) {
	_, port := start(t, Config{Readers: 3})
	for _, host := range []string{"127.0.0.1", "127.0.0.53", "::1"} {
		for network, probe := range map[string]func(context.Context, string) (netip.AddrPort, error){"udp": Probe, "tcp": ProbeTCP} {
			t.Run(network+" "+host, func(t *testing.T) {
				mapped, err := probe(testContext(t), net.JoinHostPort(host, fmt.Sprint(port)))
				if err != nil {
					t.Fatal(err)
				}
				if !mapped.Addr().IsLoopback() || mapped.Addr().Is4() != strings.Contains(host, ".") || mapped.Port() == 0 {
					t.Errorf("mapped %v", mapped)
				}
			})
		}
	}
}

// A client that asks one of several addresses of a host must be answered from
// that address: connected sockets drop anything else, which Probe to 127.0.0.53
// shows; here the source is looked at.
func TestAnswersFromTheAddressAsked(t *testing.T) {
	_, port := start(t, Config{})
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.7"), port)
	if _, err := conn.WriteToUDPAddrPort(build(t, stun.TransactionID, stun.BindingRequest), to); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 100)
	n, from, err := conn.ReadFromUDPAddrPort(buf)
	if err != nil || from != to || n != 32 {
		t.Fatalf("%d bytes from %v: %v; want them from %v", n, from, err, to)
	}
}

func TestManyClients(t *testing.T) {
	s, port := start(t, Config{Readers: 4})
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			probe := Probe
			if i%4 == 0 {
				probe = ProbeTCP
			}
			if _, err := probe(testContext(t), addr); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := value(t, s.metrics.udp.messages[Answered]) + value(t, s.metrics.tcp.messages[Answered])
	if got < 64 {
		t.Errorf("%v answers are counted", got)
	}
}

func TestSilence(t *testing.T) {
	s, port := start(t, Config{Listen: "127.0.0.1:0", Readers: 1})
	conn, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, m := range [][]byte{
		[]byte("GET / HTTP/1.1\r\n\r\n"),
		build(t, stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)),
		build(t, stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication)),
		bytes.Repeat([]byte{0}, 4000),
	} {
		if _, err := conn.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	// One socket answers in order, so the first thing to come back must be the
	// answer to what was sent last.
	last := build(t, stun.TransactionID, stun.BindingRequest)
	if _, err := conn.Write(last); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 100)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, last, buf[:n], netip.MustParseAddrPort(conn.LocalAddr().String()))
	for o, want := range map[Outcome]float64{Answered: 1, Malformed: 2, Unsupported: 1, Ignored: 1} {
		if got := value(t, s.metrics.udp.messages[o]); got != want {
			t.Errorf("%v: %v are counted, want %v", o, got, want)
		}
	}
}

func TestRateLimit(t *testing.T) {
	s, port := start(t, Config{RatePerSource: 1e-6, BurstPerSource: 2})
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	for range 2 {
		if _, err := Probe(testContext(t), addr); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	third := make(chan error, 1)
	go func() {
		_, err := Probe(ctx, addr)
		third <- err
	}()
	for value(t, s.metrics.udp.limited) == 0 && len(third) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-third; !errors.Is(err, context.Canceled) {
		t.Errorf("the third request: %v", err)
	}
	if _, err := ProbeTCP(testContext(t), addr); err == nil {
		t.Error("TCP has tokens of its own")
	}
	if got := value(t, s.metrics.udp.limited); got != 1 {
		t.Errorf("%v are counted", got)
	}
	if _, err := Probe(testContext(t), fmt.Sprintf("[::1]:%d", port)); err != nil {
		t.Errorf("another source: %v", err)
	}
}

// dial opens a TCP connection that the test closes.
func dial(t *testing.T, port uint16) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

// ask sends one request on a TCP connection and reads its answer.
func ask(t *testing.T, conn net.Conn) error {
	t.Helper()
	req := build(t, stun.TransactionID, stun.BindingRequest)
	if _, err := conn.Write(req); err != nil {
		return err
	}
	buf := make([]byte, MaxMessage)
	n, err := readFrame(conn, buf)
	if err == nil {
		checkAnswer(t, req, buf[:n], netip.MustParseAddrPort(conn.LocalAddr().String()))
	}
	return err
}

// closedByServer waits for the end of a connection.
func closedByServer(t *testing.T, conn net.Conn) {
	t.Helper()
	if n, err := conn.Read(make([]byte, 100)); n != 0 || err == nil || isTimeout(err) {
		t.Errorf("the connection is not closed: %d bytes, %v", n, err)
	}
}

func TestTCPPipelining(t *testing.T) {
	_, port := start(t, Config{})
	conn := dial(t, port)
	indication := build(t, stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication))
	if _, err := conn.Write(indication); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := ask(t, conn); err != nil {
			t.Fatal(err)
		}
	}
	// Byte by byte and two at once.
	one, two := build(t, stun.TransactionID, stun.BindingRequest), build(t, stun.TransactionID, stun.BindingRequest)
	for _, b := range one {
		if _, err := conn.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Write(append(bytes.Clone(two), two...)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 3*32)
	if _, err := io.ReadFull(conn, buf); err != nil {
		t.Fatal(err)
	}
}

func TestTCPRefusals(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		send         []byte
		cfg          Config
	}{
		{"HTTP", "framing", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), Config{}},
		{"too long", "framing", append([]byte{0, 1, 0xFF, 0xFC, 0x21, 0x12, 0xA4, 0x42}, make([]byte, 12)...), Config{}},
		{"silence", "idle", nil, Config{TCPIdleTimeoutMs: 20}},
		{"half a header", "idle", []byte{0, 1, 0, 0}, Config{TCPIdleTimeoutMs: 20}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, port := start(t, c.cfg)
			conn := dial(t, port)
			if _, err := conn.Write(c.send); err != nil {
				t.Fatal(err)
			}
			closedByServer(t, conn)
			if got := value(t, s.metrics.refused.WithLabelValues(c.reason)); got != 1 {
				t.Errorf("%v are counted as %s", got, c.reason)
			}
		})
	}
}

func TestTCPLimits(t *testing.T) {
	for _, c := range []struct {
		reason string
		cfg    Config
	}{
		{"total_limit", Config{MaxTCPConns: 2}},
		{"source_limit", Config{MaxTCPConns: 10, MaxTCPConnsPerSource: 2}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			s, port := start(t, c.cfg)
			first, second := dial(t, port), dial(t, port)
			if err := errors.Join(ask(t, first), ask(t, second)); err != nil {
				t.Fatal(err)
			}
			closedByServer(t, dial(t, port))
			if got := value(t, s.metrics.refused.WithLabelValues(c.reason)); got != 1 {
				t.Errorf("%v are counted as %s", got, c.reason)
			}
			// A closed connection makes room for a new one.
			_ = first.Close()
			for ctx := testContext(t); ask(t, dial(t, port)) != nil; {
				if ctx.Err() != nil {
					t.Fatal("the place stays taken")
				}
			}
		})
	}
}

func TestProbeFailures(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if _, err := Probe(ctx, silent.LocalAddr().String()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent server: %v", err)
	}
	if _, err := Probe(testContext(t), "127.0.0.1"); err == nil {
		t.Error("an address without port")
	}
	if _, err := ProbeTCP(testContext(t), silent.LocalAddr().String()); err == nil {
		t.Error("an answer over TCP where no server listens")
	}
}

// A server that loses the first request and answers with garbage before the
// right answer is still probed.
func TestProbeRetransmits(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer conn.Close()
	wg.Go(func() {
		buf := make([]byte, 100)
		var h Handler
		for i := 0; ; i++ {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			if i == 0 {
				continue
			}
			other := build(t, stun.TransactionID, stun.BindingSuccess)
			res, _ := h.Handle(nil, buf[:n], from)
			for _, m := range [][]byte{{1, 2, 3}, other, res} {
				_, _ = conn.WriteToUDPAddrPort(m, from)
			}
		}
	})
	if _, err := Probe(testContext(t), conn.LocalAddr().String()); err != nil {
		t.Fatal(err)
	}
}

func TestProbeReadsErrors(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer conn.Close()
	wg.Go(func() {
		buf := make([]byte, 100)
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		var q stun.Message
		if stun.Decode(buf[:n], &q) == nil {
			_, _ = conn.WriteToUDPAddrPort(appendUnknown(nil, q.TransactionID, []stun.AttrType{3}), from)
		}
	})
	if _, err := Probe(testContext(t), conn.LocalAddr().String()); err == nil || !strings.Contains(err.Error(), "420") {
		t.Fatalf("error %v", err)
	}
}

func TestAdmin(t *testing.T) {
	s, _ := start(t, Config{AdminListen: "127.0.0.1:0"})
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		s.newAdmin().Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	for path, want := range map[string]string{
		"/healthz": "ok",
		"/readyz":  "ok",
		"/metrics": "p2pstream_stun_messages_total",
	} {
		if code, body := get(path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	s.self = netip.MustParseAddrPort("127.0.0.1:1")
	if code, _ := get("/readyz"); code != 503 {
		t.Errorf("ready without an answer: %d", code)
	}
}

func TestRunFails(t *testing.T) {
	_, port := start(t, Config{Listen: "127.0.0.1:0"})
	s, err := New(Config{Listen: fmt.Sprintf("127.0.0.1:%d", port)}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(testContext(t)); err == nil || !strings.Contains(err.Error(), "tcp4") {
		t.Errorf("a taken port: %v", err)
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{}, ""},
		{Config{Listen: "x"}, `config.listen: "x" is not host:port; use ":3478"`},
		{Config{AdminListen: "y:z"}, "config.adminListen"},
		{Config{Readers: -1}, "config.readers"},
		{Config{RatePerSource: -1}, ""},
		{Config{BurstPerSource: 0.5}, "config.burstPerSource"},
		{Config{RateTableSize: 1 << 30}, "config.rateTableSize"},
		{Config{MaxTCPConns: -1}, "config.maxTCPConns"},
		{Config{TCPIdleTimeoutMs: 1}, "config.tcpIdleTimeoutMs"},
	} {
		err := c.cfg.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.cfg, err, c.want)
		}
		if _, newErr := New(c.cfg, nil, nil); (newErr == nil) != (err == nil) {
			t.Errorf("%+v: New says %v", c.cfg, newErr)
		}
	}
	reg := prometheus.NewRegistry()
	for i := range 2 {
		if _, err := New(Config{}, nil, reg); (err != nil) != (i == 1) {
			t.Errorf("registration %d: %v", i, err)
		}
	}
}

// BenchmarkLoopback counts requests answered over real sockets, by as many
// clients as readers, each with some requests under way.
func BenchmarkLoopback(b *testing.B) {
	_, port := start(b, Config{RatePerSource: -1})
	req := build(b, stun.TransactionID, stun.BindingRequest)
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("udp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		buf := make([]byte, 100)
		const window = 32
		pending := 0
		read := func() bool {
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, err := conn.Read(buf)
			if err != nil {
				b.Error(err)
			}
			pending--
			return err == nil
		}
		for pb.Next() {
			if _, err := conn.Write(req); err != nil {
				b.Error(err)
				return
			}
			if pending++; pending == window && !read() {
				return
			}
		}
		for pending > 0 && read() {
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}
