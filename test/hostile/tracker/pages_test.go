package tracker

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/peer"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// request sends the bytes of a request from an address of attackers and reads the answer; status 0 is a connection
// that was closed without one.
func request(t testing.TB, address string, from int, raw string) (status int, header http.Header) {
	t.Helper()
	c := tcp(t, address, from)
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { _, _ = io.WriteString(c, raw) }() // the answer may come before all is sent
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		if isTimeout(err) {
			t.Error("no answer")
		}
		return 0, nil
	}
	_ = resp.Body.Close()
	return resp.StatusCode, resp.Header
}

// httpClient asks from an address of attackers, over connections that it keeps.
func httpClient(t testing.TB, from int) *http.Client {
	tr := &http.Transport{DialContext: lab.DialerFrom(from).DialContext, MaxIdleConnsPerHost: 64}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: lab.AsPage(tr), Timeout: 10 * time.Second}
}

const head = " HTTP/1.1\r\nHost: tracker\r\n"

// pages are attacks over HTTP.
var pages = []attack{
	{name: "giant headers", run: func(t *testing.T, s *scene) {
		long := strings.Repeat("a", 64<<10)
		s.counted(t, 4, func() {
			for name, raw := range map[string]string{
				"one header":   "GET /v1/config" + head + "X-Long: " + long + "\r\n\r\n",
				"many headers": "GET /v1/config" + head + strings.Repeat("X-Many: aaaaaaaaaaaaaaa\r\n", 4000) + "\r\n",
				"URL":          "GET /v1/config?" + long + head + "\r\n",
				"upgrade":      "GET /announce" + head + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + long + "\r\n\r\n",
				"no end":       "GET /v1/config" + head + "X-Endless: " + strings.Repeat(long, 100),
			} {
				if status, _ := request(t, s.Listen, newOrigin(), raw); status != http.StatusRequestHeaderFieldsTooLarge && status != 0 {
					t.Errorf("%s: %d", name, status)
				}
			}
		}, "p2pstream_tracker_connections_without_request_total")
	}},
	{name: "malformed requests", run: func(t *testing.T, s *scene) {
		for raw, want := range map[string]int{
			"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n": 400,
			"null\r\n\r\n": 400,
			"GET /v1/config HTTP/9.9\r\nHost: tracker\r\n\r\n":                                                                          505,
			"GET /v1/config HTTP/1.1\r\n\r\n":                                                                                           400,
			"GET /v1/config" + head + "Host: other\r\n\r\n":                                                                             400,
			"GET /v1/config HTTP/1.1\r\nHost: a b\r\n\r\n":                                                                              400,
			"GET /v1/config HTTP/1.1\r\nHost: evil\"><script>\r\n\r\n":                                                                  400,
			"TRACE /v1/config" + head + "\r\n":                                                                                          405,
			"PUT /v1/config" + head + "Content-Length: 2\r\n\r\n{}":                                                                     405,
			"GET /player/..%2f..%2fgo.mod" + head + "\r\n":                                                                              404,
			"GET /debug/pprof/" + head + "\r\n":                                                                                         404,
			"GET /metrics" + head + "\r\n":                                                                                              404,
			"POST /v1/telemetry" + head + "Content-Length: -1\r\n\r\n":                                                                  400,
			"POST /v1/telemetry" + head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}":                                            400,
			"POST /v1/telemetry" + head + "Content-Type: x\r\nContent-Length: 2\r\n\r\n{}":                                              415,
			"GET /announce?t=" + lab.Ticket() + head + "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n":                              400,
			"POST /announce?t=" + lab.Ticket() + head + "Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n":        405,
			"GET /announce?t=" + lab.Ticket() + head + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 12\r\n\r\n": 400,
			"POST /v1/telemetry" + head + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\nGET / HTTP/1":                400,
		} {
			if got, _ := request(t, s.Listen, newOrigin(), raw); got != want {
				t.Errorf("%q: %d, want %d", raw, got, want)
			}
		}
	}},
	{name: "giant and endless bodies", run: func(t *testing.T, s *scene) {
		const post = "POST /v1/telemetry" + head
		var bomb bytes.Buffer
		z := gzip.NewWriter(&bomb)
		_, _ = z.Write(make([]byte, 16<<20)) // a buffer
		_ = z.Close()                        // likewise
		small := bomb.String()[:2000]
		for name, tt := range map[string]struct {
			raw  string
			want int
		}{
			"declared":       {post + "Content-Length: 1000000000000\r\n\r\n" + strings.Repeat("a", 1<<20), 413},
			"longer":         {post + "Content-Length: 5000\r\n\r\n" + strings.Repeat(" ", 5000), 413},
			"endless chunks": {post + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("3e8\r\n"+strings.Repeat("a", 1000)+"\r\n", 2000), 413},
			"compressed":     {post + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(small)) + small, 400},
			"nested":         {post + "Content-Length: 4000\r\n\r\n" + strings.Repeat("[", 4000), 400},
			"nested objects": {post + "Content-Length: 4000\r\n\r\n" + strings.Repeat(`{"a":`, 800), 400},
		} {
			if got, _ := request(t, s.Listen, newOrigin(), tt.raw); got != tt.want {
				t.Errorf("%s: %d, want %d", name, got, tt.want)
			}
		}
	}},
	{name: "a flood of requests", run: func(t *testing.T, s *scene) {
		client := httpClient(t, newOrigin())
		var refused atomic.Int64
		var all sync.WaitGroup
		flood := func() {
			for _, path := range []string{"/v1/config", "/v1/stats", "/v1/config?udp=blocked", "/v1/stats?accumulate=1"} {
				for range 2 {
					all.Go(func() {
						for range 1000 {
							resp, err := client.Get(s.HTTP(path))
							if err != nil {
								continue
							}
							_, _ = io.Copy(io.Discard, resp.Body) // so that the connection is used again
							_ = resp.Body.Close()
							if resp.StatusCode == http.StatusTooManyRequests {
								refused.Add(1)
							}
						}
					})
				}
			}
			all.Wait()
		}
		s.counted(t, 1000, flood, "p2pstream_viewerapi_requests_total", `status="429"`)
		if refused.Load() < 1000 {
			t.Errorf("%d of 8000 requests refused", refused.Load())
		}
	}},
	{name: "logs filled by refusals", log: 8, run: func(t *testing.T, s *scene) {
		from := newOrigin()
		s.refused(t, 300, "token", func() {
			for range 300 {
				_, resp := upgrade(t, s.Listen, from, "Authorization: Bearer wrong", "Origin: https://"+strings.Repeat("\xff", 8000))
				if resp.StatusCode != http.StatusUnauthorized {
					t.Fatal(resp.Status)
				}
			}
		})
	}},
	{name: "silent connections", slow: true, run: func(t *testing.T, s *scene) {
		s.dribble(t, newOrigin(), "", "p2pstream_tracker_connections_without_request_total")
	}},
	{name: "an upgrade of one byte a second", slow: true, run: func(t *testing.T, s *scene) {
		s.dribble(t, newOrigin(), "GET /announce"+head+"Upgrade: websocket\r\nX-Slow: ",
			"p2pstream_tracker_connections_without_request_total")
	}},
	{name: "a body of one byte a second", slow: true, run: func(t *testing.T, s *scene) {
		s.dribble(t, newOrigin(), "POST /v1/telemetry"+head+"Content-Length: 4000\r\n\r\n",
			"p2pstream_viewerapi_reports_total", `result="Malformed"`)
	}},
	{name: "as many connections as one address may have", memory: 128, run: func(t *testing.T, s *scene) {
		from := newOrigin()
		s.counted(t, 100, func() {
			for range connectionsPerAddress + 100 {
				tcp(t, s.Listen, from)
			}
		}, "p2pstream_tracker_connections_refused_total", `limit="connections_per_address"`)
		if err := s.arrive(); err != nil {
			t.Errorf("a newcomer beside them: %v", err)
		}
	}},
	{name: "connections that come and go", run: func(t *testing.T, s *scene) {
		from := newOrigin()
		s.counted(t, 500, func() {
			for range 6000 {
				if c, err := lab.DialerFrom(from).Dial("tcp", s.Listen); err == nil {
					_ = c.Close()
				}
			}
		}, "p2pstream_tracker_connections_refused_total", `limit="connection_rate_of_address"`)
	}},
	{name: "pages of other origins", slow: true, run: func(t *testing.T, _ *scene) { otherOrigins(t) }},
	{name: "swarms that are not the stream's", slow: true, run: func(t *testing.T, _ *scene) { otherSwarms(t) }},
}

// connectionsPerAddress is the default limit, an eighth of connections that are no sockets.
const connectionsPerAddress = 2048

// dribble opens connections, sends the beginning of a request at once and then a byte a second, and requires that they
// are cut off within half a minute, and counted.
func (s *scene) dribble(t *testing.T, from int, begin, counter string, labels ...string) {
	const connections = 100
	s.counted(t, connections, func() { s.dribbling(t, from, begin, connections) }, counter, labels...)
}

func (s *scene) dribbling(t *testing.T, from int, begin string, connections int) {
	const within = 30 * time.Second
	deadline := time.Now().Add(within)
	var all sync.WaitGroup
	for range connections {
		c := tcp(t, s.Listen, from)
		all.Go(func() {
			_, _ = io.WriteString(c, begin)
			ended := make(chan struct{})
			all.Go(func() {
				defer close(ended)
				_ = c.SetReadDeadline(deadline)
				if _, err := io.Copy(io.Discard, c); err != nil && isTimeout(err) {
					t.Errorf("not cut off in %v", within)
				}
			})
			second := time.NewTicker(time.Second)
			defer second.Stop()
			for {
				select {
				case <-ended:
					return
				case <-second.C:
					if begin != "" {
						_, _ = c.Write([]byte{'a'})
					}
				}
			}
		})
	}
	all.Wait()
}

// otherTracker starts a tracker with other settings; its origin does not matter.
func otherTracker(t *testing.T, change func(*config.Config)) *scene {
	s := stream.Start(t, stream.Options{NoSeeder: true, Tracker: change})
	return &scene{Stream: s}
}

// otherOrigins sends requests as pages of other origins do.
func otherOrigins(t *testing.T) {
	s := otherTracker(t, func(c *config.Config) { c.AllowedOrigins = []string{"https://intranet.example"} })
	const allow = "Access-Control-Allow-Origin"
	host, _, _ := net.SplitHostPort(s.Listen)
	for origin, want := range map[string]bool{
		"https://intranet.example": true, "https://evil.example": false, "null": false, "https://intranet.example.evil.example": false,
		"http://intranet.example": false, "https://intranet.example:8443": false, "https://user@intranet.example": false,
		"file://": false, "http://" + host + ".evil.example": false, "https://evil.example, https://intranet.example": false,
	} {
		_, resp := upgrade(t, s.Listen, newOrigin(), "Origin: "+origin)
		if got := resp.StatusCode == http.StatusSwitchingProtocols; got != want || !got && resp.StatusCode != http.StatusForbidden {
			t.Errorf("socket of a page of %s: %s", origin, resp.Status)
		}
		status, header := request(t, s.Listen, newOrigin(), "GET /v1/config"+head+"Origin: "+origin+"\r\n\r\n")
		if got := header.Get(allow); (status == http.StatusOK) != want || (status == http.StatusForbidden) == want || (got == origin) != want || !want && got != "" {
			t.Errorf("settings for a page of %s: %d, %s: %q", origin, status, allow, got)
		}
		status, _ = request(t, s.Listen, newOrigin(), "POST /v1/telemetry"+head+"Origin: "+origin+"\r\nContent-Length: 2\r\n\r\n{}")
		if refused := status == http.StatusForbidden; refused == want {
			t.Errorf("report of a page of %s: %d", origin, status)
		}
		status, header = request(t, s.Listen, newOrigin(),
			"OPTIONS /v1/telemetry"+head+"Origin: "+origin+"\r\nAccess-Control-Request-Method: POST\r\n\r\n")
		if got := header.Get("Access-Control-Allow-Methods") != ""; status != http.StatusNoContent || got != want {
			t.Errorf("preflight of a page of %s: %d %v", origin, status, header)
		}
	}
	s.refused(t, 3, "origin", func() {
		for range 3 {
			upgrade(t, s.Listen, newOrigin(), "Origin: https://evil.example")
		}
	})
}

// otherSwarms announces what a tracker for one stream does not serve.
func otherSwarms(t *testing.T) {
	s := otherTracker(t, func(c *config.Config) { c.Stream.AnySwarm = false })
	ws := dial(t, s.Listen, newOrigin())
	lab.Eventually(t, 20*time.Second, "the tracker to know its swarms", func() bool {
		hash := peer.NewID()
		ws.announce(hash, peer.NewID(), 0)
		m, ok := ws.message(10*time.Second, ofSwarm(hash))
		return ok && m.Failure != ""
	})
	s.limited(t, 100, "info_hash_not_served", func() {
		for range 100 {
			ws.announce(peer.NewID(), peer.NewID(), 5)
		}
		ws.alive(t)
	})
}
