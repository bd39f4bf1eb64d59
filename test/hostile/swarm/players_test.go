package swarm

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer/client"
	"github.com/p2pstream/p2pstream/runtime/viewer/proxy"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// stage is a proxy and a player of it that must not notice the attacks, and what attackers need to know.
type stage struct {
	process *program.Process
	listen  string
	media   string // path of a media playlist
	segment string // path of a segment
}

// TestProxy attacks the viewer's proxy as its clients can.
func TestProxy(t *testing.T) {
	t.Parallel()
	// Segments of a second, since each attack waits for the player to get the next one.
	s := stream.Start(t, stream.Options{Path: "/live/seg_1/window_20/ren_1/master.m3u8"})
	cfg := proxy.Config{
		Config:  client.Config{ConfigURL: s.HTTP("/v1/config"), Loopback: true},
		Options: proxy.Options{Listen: lab.FreeAddress(t), AdminListen: lab.FreeAddress(t)},
	}
	g := &stage{process: program.Start(t, program.Spec{Command: "viewer", Admin: cfg.AdminListen, Config: cfg}), listen: cfg.Listen}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var playing sync.WaitGroup
	defer playing.Wait()
	defer stop()
	var played atomic.Int64
	playing.Go(func() { play(ctx, "http://"+g.listen, &played) })
	lab.Eventually(t, 30*time.Second, "the proxy to play", func() bool { return played.Load() > 1 })
	g.learn(t)
	for _, a := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"paths that lead out", g.paths},
		{"foreign host names", g.names},
		{"requests that are none", g.broken},
		{"headers without end", g.headers},
		{"ranges by the thousand", g.ranges},
		{"players by the thousand", g.players},
		{"requests by the thousand", g.requests},
		{"heads that come slowly", g.slowHeads},
		{"bodies that are not read", g.unread},
		{"connections by the thousand", g.connections},
	} {
		t.Run(a.name, func(t *testing.T) {
			watch, before := bystander.Measure(t, g.process), played.Load()
			a.run(t)
			watch.Check(t, bystander.Bounds{Memory: 96 << 20, Log: 8 << 10, Rest: restOfPlaying})
			lab.Eventually(t, 20*time.Second, "the player to play on", func() bool { return played.Load() > before })
		})
	}
}

// learn finds what there is to ask for.
func (g *stage) learn(t *testing.T) {
	t.Helper()
	last := func(path string) (name string) {
		for line := range bytes.Lines(lab.Get(t, "http://"+g.listen+path)) {
			if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
				name = string(line)
			}
		}
		return name
	}
	g.media = "/" + last("/master.m3u8")
	g.segment = g.media[:strings.LastIndexByte(g.media, '/')+1] + last(g.media)
}

// ask sends a text and returns the status of the answer, 0 if there is none.
func (g *stage) ask(t *testing.T, text string) (status int, body string) {
	t.Helper()
	conn := lab.Must[net.Conn](t)(net.Dial("tcp", g.listen))
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second)) // fails only on a closed connection
	go func() { _, _ = io.WriteString(conn, text) }()      // the other end may close before it has read all
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, string(b)
}

func request(path, host string, headers ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + strings.Join(append(headers, "Connection: close"), "\r\n") + "\r\n\r\n"
}

func (g *stage) paths(t *testing.T) {
	at := g.media[:strings.LastIndexByte(g.media, '/')+1]
	for _, path := range []string{
		"/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/p/", "/p/abcd", at, at + "../../../etc/passwd",
		at + "..%2f..%2fetc%2fpasswd", at + "%00", at + "-1-x.ts", at + "99999999999999999999-x.ts", at + strings.Repeat("a", 8000),
		"/p/abcd/master/http:%2f%2f169.254.169.254%2f", "http://169.254.169.254/latest", "/p/abcd/x/index.m3u8?url=file:///etc/passwd",
		"/\\..\\..\\etc\\passwd", "/p/AAAA/x/y", "*",
	} {
		status, body := g.ask(t, request(path, g.listen))
		if status == http.StatusOK || strings.Contains(body, "root:") {
			t.Errorf("%q gives %d: %.100s", path, status, body)
		}
	}
}

func (g *stage) names(t *testing.T) {
	for _, host := range []string{"evil.example", "127.0.0.1.evil.example", "169.254.169.254", "localhost.evil.example:80", "[::ffff:1.2.3.4]", "", "a b"} {
		if status, _ := g.ask(t, request("/master.m3u8", host)); status == http.StatusOK {
			t.Errorf("the proxy answers to the name %q", host)
		}
	}
}

func (g *stage) broken(t *testing.T) {
	for _, text := range []string{
		"\x00\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"POST /master.m3u8 HTTP/1.1\r\nHost: " + g.listen + "\r\nContent-Length: 99999999999\r\n\r\nx",
		"GET /master.m3u8 HTTP/1.1\r\nHost: " + g.listen + "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET /master.m3u8 HTTP/1.1\r\nHost: " + g.listen + "\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
		"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: " + g.listen + "\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"DELETE " + g.media + " HTTP/1.1\r\nHost: " + g.listen + "\r\n\r\n",
	} {
		if status, _ := g.ask(t, text); status/100 == 2 {
			t.Errorf("%.40q gives %d", text, status)
		}
	}
}

func (g *stage) headers(t *testing.T) {
	for _, headers := range []string{
		"X: " + strings.Repeat("x", 8<<20), strings.Repeat("X: y\r\n", 500_000) + "Z: z", "Range: bytes=" + strings.Repeat("0-0,", 200_000) + "0-0",
	} {
		if status, _ := g.ask(t, request("/master.m3u8", g.listen, headers)); status == http.StatusOK {
			t.Errorf("%d bytes of headers were taken", len(headers))
		}
	}
}

func (g *stage) ranges(t *testing.T) {
	for _, spans := range []string{strings.Repeat("0-0,", 3000) + "0-0", strings.Repeat("0-,", 4000) + "0-", "9007199254740993-", "-9007199254740993", "5-1", "a-b"} {
		for _, path := range []string{g.media, g.segment} {
			if status, body := g.ask(t, request(path, g.listen, "Range: bytes="+spans)); len(body) > 900_000 || status >= 500 {
				t.Errorf("ranges %.20q give %d and %d bytes", spans, status, len(body))
			}
		}
	}
}

func (g *stage) players(t *testing.T) {
	rest := g.media[strings.Index(g.media[3:], "/")+3:]
	for i := range 300 {
		g.ask(t, request(fmt.Sprintf("/p/attacker%d%s", i, rest), g.listen))
	}
	if m := g.process.Metrics(t); m.Sum("p2pstream_proxy_players") > m.Sum("p2pstream_proxy_limit", `of="players"`) {
		t.Errorf("%v players", m.Sum("p2pstream_proxy_players"))
	}
}

func (g *stage) requests(t *testing.T) {
	const atOnce, rounds = 400, 10 // a busy machine does not always begin as many before it has answered some
	var served, refused atomic.Int64
	for round := 0; round < rounds && refused.Load() == 0; round++ {
		var all sync.WaitGroup
		for range atOnce {
			all.Go(func() {
				conn, err := net.Dial("tcp", g.listen)
				if err != nil {
					return
				}
				defer func() { _ = conn.Close() }()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				_, _ = io.WriteString(conn, request(g.segment, g.listen))
				switch resp, err := http.ReadResponse(bufio.NewReader(conn), nil); {
				case err != nil:
				case resp.StatusCode == http.StatusServiceUnavailable:
					refused.Add(1)
				default:
					served.Add(1)
				}
			})
		}
		all.Wait()
	}
	t.Logf("of %d requests at a time %d were served, %d refused", atOnce, served.Load(), refused.Load())
	if refused.Load() == 0 {
		t.Error("one player may have any number of requests")
	}
}

// hold opens connections, sends the text on each, and holds them until the returned function is called.
func (g *stage) hold(t *testing.T, n int, text string) (release func()) {
	t.Helper()
	var all []net.Conn
	for range n {
		conn, err := net.Dial("tcp", g.listen)
		if err != nil {
			break
		}
		if c, ok := conn.(*net.TCPConn); ok {
			_ = c.SetReadBuffer(1024) // as small as may be
		}
		_, _ = io.WriteString(conn, text) // it may have been closed
		all = append(all, conn)
	}
	return func() {
		for _, conn := range all {
			_ = conn.Close()
		}
	}
}

func (g *stage) slowHeads(t *testing.T) {
	release := g.hold(t, 300, "GET /master.m3u8 HTTP/1.1\r\nHost: ")
	defer release()
	if status, _ := g.ask(t, request("/master.m3u8", g.listen)); status != http.StatusOK {
		t.Errorf("another player is given %d", status)
	}
}

func (g *stage) unread(t *testing.T) {
	release := g.hold(t, 100, strings.Repeat(strings.Replace(request(g.segment, g.listen), "Connection: close", "X: y", 1), 5))
	defer release()
	if m := g.process.Metrics(t); m.Sum("p2pstream_proxy_requests_in_flight") > m.Sum("p2pstream_proxy_limit", `of="requests"`) {
		t.Errorf("%v requests at a time", m.Sum("p2pstream_proxy_requests_in_flight"))
	}
}

func (g *stage) connections(t *testing.T) {
	release := g.hold(t, 1500, "")
	m := g.process.Metrics(t)
	open, most := m.Sum("p2pstream_proxy_connections"), m.Sum("p2pstream_proxy_limit", `of="connections"`)
	if open > most || m.Sum("p2pstream_proxy_refused_total", `reason="connections"`) == 0 {
		t.Errorf("%v connections, %v are the most", open, most)
	}
	release()
	lab.Eventually(t, 20*time.Second, "others to be let in again", func() bool {
		status, _ := g.ask(t, request("/master.m3u8", g.listen))
		return status == http.StatusOK
	})
}
