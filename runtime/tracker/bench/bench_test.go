package bench

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker"
)

// childVariable makes the test binary a tracker: each side then has its own 20,000 file descriptors.
// Its value is the scheme that the tracker speaks.
const childVariable = "P2PSTREAM_BENCH_TRACKER"

func TestMain(m *testing.M) {
	scheme := os.Getenv(childVariable)
	if scheme == "" {
		os.Exit(m.Run())
	}
	if err := serve(scheme); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve is the tracker's process.
func serve(scheme string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cfg := tracker.Config{Listen: "127.0.0.1:0", DrainPeriod: 1, Limits: tracker.LimitsConfig{
		SocketsPerAddress: -1, UpgradesPerSecond: 1 << 20}}
	if scheme == "wss" {
		dir, err := os.MkdirTemp("", "p2pstream-bench")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		if cfg.TLSCert, cfg.TLSKey, err = certificate(dir); err != nil {
			return err
		}
	}
	s, err := tracker.New(cfg, nil, nil)
	if err != nil {
		return err
	}
	go func() {
		<-s.Ready()
		fmt.Println(s.Addr())
	}()
	// The parent's end is ours.
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadByte() // returns at its end
		stop()
	}()
	return s.Run(ctx)
}

// certificate writes the one that servers of net/http/httptest have, for an RSA key of 2,048 bits.
func certificate(dir string) (cert, key string, err error) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pair := s.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	return cert, key, errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
}

// process is a tracker in a child process.
type process struct {
	url string
	pid int
}

func start(b *testing.B, scheme string) process {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childVariable+"="+scheme)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close() // the child ends
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return process{scheme + "://" + strings.TrimSpace(line) + "/", cmd.Process.Pid}
}

// rss is the resident memory in KiB.
func (p process) rss(b *testing.B) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return kib
		}
	}
	b.Fatal("no VmRSS")
	return 0
}

// cpu is the processor time used so far, in clock ticks of 10 ms.
func (p process) cpu(b *testing.B) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// peer is a client that answers every offer, like a browser.
type peer struct {
	ws      *websocket.Conn
	hash    signaling.ID
	id      signaling.ID
	mu      sync.Mutex // of writes
	buf     []byte
	replies chan time.Time
}

var sdp = signaling.AppendText(nil, strings.Repeat("a=candidate:1 1 udp 2122265343 192.0.2.10 39155 typ host\r\n", 13)[:733])

func connect(b *testing.B, url string, n, swarms int) *peer {
	b.Helper()
	d := websocket.Dialer{ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &writeBuffers,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tickets},
		NetDial: func(network, addr string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 30 * time.Second}).Dial(network, addr)
		}}
	ws, resp, err := d.Dial(url, nil)
	if err != nil {
		b.Fatal(err)
	}
	_ = resp.Body.Close()
	p := &peer{ws: ws, hash: signaling.ID([]byte(fmt.Sprintf("swarm-%014d", n%swarms))), id: signaling.ID([]byte(fmt.Sprintf("-PM0203-%012d", n))),
		replies: make(chan time.Time, 4)}
	b.Cleanup(func() { _ = ws.Close() })
	return p
}

var (
	writeBuffers sync.Pool
	tickets      = tls.NewLRUClientSessionCache(1)
)

func (p *peer) announce(serial int) error {
	a := signaling.Announce{InfoHash: p.hash, PeerID: p.id, NumWant: 5}
	for i := range 5 {
		id := p.id
		copy(id[:8], fmt.Sprintf("%07d%d", serial, i))
		a.Offers = append(a.Offers, signaling.Offer{SDP: sdp, ID: signaling.AppendID(nil, id)})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.buf = signaling.AppendAnnounce(p.buf[:0], a)
	err := p.ws.WriteMessage(websocket.TextMessage, p.buf)
	p.buf = nil
	return err
}

// listen answers offers until the socket ends.
func (p *peer) listen() {
	for {
		_, b, err := p.ws.ReadMessage()
		if err != nil {
			return
		}
		m, err := signaling.ParseTrackerMessage(b)
		switch {
		case err != nil:
		case m.Kind == signaling.KindReply:
			p.replies <- time.Now()
		case m.Kind == signaling.KindOffer:
			p.mu.Lock()
			err = p.ws.WriteMessage(websocket.TextMessage, signaling.AppendAnswer(nil, p.hash, p.id, m.PeerID, sdp, m.OfferID, nil))
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}
}

// BenchmarkMemory opens 10,000 sockets in ten swarms, each of which announces once with five offers of 733 bytes and
// answers what it gets; when all is quiet, the tracker's resident memory above that before the first socket is
// divided by the number of sockets. Kernel memory is not counted. Run with -benchtime 1x.
func BenchmarkMemory(b *testing.B) {
	for _, scheme := range []string{"ws", "wss"} {
		b.Run(scheme, func(b *testing.B) { benchmarkMemory(b, scheme) })
	}
}

func benchmarkMemory(b *testing.B, scheme string) {
	const sockets = 10_000
	for b.Loop() {
		p := start(b, scheme)
		before := p.rss(b)
		peers := make([]*peer, sockets)
		for i := range peers {
			peers[i] = connect(b, p.url, i, 10)
			go peers[i].listen()
			if err := peers[i].announce(0); err != nil {
				b.Fatal(err)
			}
			<-peers[i].replies
		}
		// The collector's own pace decides what is resident: look until it falls no more.
		lowest, same := p.rss(b), 0
		for tick := time.NewTicker(time.Second); same < 10; <-tick.C {
			if now := p.rss(b); now < lowest {
				lowest, same = now, 0
			}
			same++
		}
		b.ReportMetric(float64(lowest-before)/sockets, "KiB/socket")
		b.ReportMetric(float64(before), "KiB-empty")
	}
}

// BenchmarkReplyTime keeps 1,000 announces a second going, evenly spaced, from 2,000 sockets in four swarms, for 10 s:
// five offers of 733 bytes each, every relayed offer answered. It reports how long replies take, from before the
// announce is written to after the reply is parsed, clients and tracker sharing the machine, and the tracker's
// processor time per announce. Run with -benchtime 1x.
func BenchmarkReplyTime(b *testing.B) {
	const sockets, rate, seconds = 2000, 1000, 10
	for b.Loop() {
		p := start(b, "ws")
		peers := make([]*peer, sockets)
		for i := range peers {
			peers[i] = connect(b, p.url, i, 4)
			go peers[i].listen()
		}
		var mu sync.Mutex
		var times []time.Duration
		var wg sync.WaitGroup
		used := p.cpu(b)
		tick := time.NewTicker(time.Second / rate)
		for n := range rate * seconds {
			<-tick.C
			wg.Go(func() {
				peer := peers[n%sockets]
				sent := time.Now()
				if err := peer.announce(n); err != nil {
					b.Error(err)
					return
				}
				select {
				case at := <-peer.replies:
					mu.Lock()
					times = append(times, at.Sub(sent))
					mu.Unlock()
				case <-time.After(10 * time.Second):
					b.Error("no reply")
				}
			})
		}
		wg.Wait()
		tick.Stop()
		used = p.cpu(b) - used
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(used.Microseconds())/float64(len(times)), "cpu-µs/announce")
		b.ReportMetric(0, "ns/op")
	}
}
