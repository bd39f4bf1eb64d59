package tracker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

func TestViewersMeetOverWebSockets(t *testing.T) {
	s := running(t, Config{Shards: 3})
	a, b := dial(t, s, nil, ""), dial(t, s, nil, "")
	a.send(announce(hashOne, peerID(1), 5))
	a.expect(signaling.KindReply)
	b.send(announce(hashOne, peerID(2), 5))
	b.expect(signaling.KindReply)
	offer := a.expect(signaling.KindOffer)
	a.send(answerTo(offer, peerID(1)))
	if got := b.expect(signaling.KindAnswer); string(got.OfferID) != string(offer.OfferID) {
		t.Fatalf("offer id %q became %q", offer.OfferID, got.OfferID)
	}
	if got := s.streams.only.Snapshot(); len(got) != 1 || got[0].InfoHash != hashOne.String() || got[0].Peers != 2 || got[0].Seeders != 0 {
		t.Fatalf("snapshot %+v", got)
	}
	_ = b.ws.Close()
	eventually(t, "B is gone", func() bool { got := s.streams.only.Snapshot(); return len(got) == 1 && got[0].Peers == 1 })
	a.send(answerTo(offer, peerID(1))) // has no effect
	a.send(`{"action":"scrape"}`)
	if got := a.expect(signaling.KindScrape); len(got.Files) != 1 || got.Files[0].Incomplete != 1 {
		t.Fatalf("scrape %+v", got)
	}
}

func TestSeedersAreKnownByToken(t *testing.T) {
	s := running(t, Config{SeederToken: "secret"})
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	if _, status, err := tryDial(s, bearer("wrong"), ""); err == nil || status != http.StatusUnauthorized {
		t.Fatalf("wrong token: %d, %v", status, err)
	}
	seeder := dial(t, s, bearer("secret"), "?session=pod-0")
	other := dial(t, s, bearer("secret"), "?session=pod-1")
	seeder.send(announce(hashOne, peerID(1), 0))
	seeder.expect(signaling.KindReply)
	other.send(announce(hashOne, peerID(2), 2))
	other.expect(signaling.KindReply)
	if a := s.streams.only.Audience(); a.ViewerSockets != 0 || a.SeederSockets != 2 {
		t.Fatalf("audience %+v", a)
	}
	s.streams.only.hub.setLoad("pod-0", 100, 100) // full
	s.streams.only.hub.barrier()
	viewer := dial(t, s, nil, "")
	viewer.send(announce(hashOne, peerID(3), 5))
	viewer.expect(signaling.KindReply)
	if got := other.expect(signaling.KindOffer); got.PeerID != peerID(3) {
		t.Fatalf("offer from %s", got.PeerID)
	}
	s.streams.only.hub.barrier()
	seeder.send(`{"action":"scrape"}`) // its reply must be the next message
	seeder.expect(signaling.KindScrape)
	if got := s.streams.only.Snapshot(); got[0].Peers != 3 || got[0].Seeders != 2 {
		t.Fatalf("snapshot %+v", got)
	}
}

func TestBadMessagesDoNotCostTheSocket(t *testing.T) {
	s := running(t, Config{})
	c := dial(t, s, nil, "")
	for _, raw := range []string{"", "null", "[]", "{", `{"action":"dance"}`, `{"action":"announce"}`, "\xff",
		`{"action":"announce","info_hash":"x","peer_id":"y"}`, strings.Repeat("[", 1000), `{"action":"scrape","info_hash":"x"}`} {
		c.send(raw)
		if m := c.expect(signaling.KindFailure); m.Action == signaling.ActionUnknown {
			t.Fatalf("failure without action after %q", raw)
		}
	}
	head := `{"action":"announce","info_hash":"tlCIAIrI13koYCQLatNp","peer_id":"-PM0203-b3CDaKzslw3v"`
	for _, rest := range []string{`,"offers":[null]}`, `,"offers":null}`, `,"offers":{"length":1}}`, `,"offers":[[],1,"x"]}`,
		`,"event":"update"}`, `,"event":"paused"}`, `,"event":"empty"}`, `,"event":"stopped"}`, `,"event":"stopped"}`} {
		c.send(head + rest)
		c.expect(signaling.KindReply)
	}
	if err := c.ws.WriteMessage(websocket.BinaryMessage, []byte("binary")); err != nil {
		t.Fatal(err)
	}
	c.send(`{"action":"scrape","info_hash":["tlCIAIrI13koYCQLatNp","tlCIAIrI13koYCQLatNp"]}`)
	if m := c.expect(signaling.KindScrape); len(m.Files) != 1 {
		t.Fatalf("scrape %+v", m)
	}
}

func TestOversizeCostsTheSocket(t *testing.T) {
	s := running(t, Config{})
	c := dial(t, s, nil, "")
	c.send(strings.Repeat("x", 65<<10))
	if err := c.gone(); !websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
		t.Fatalf("closed with %v", err)
	}
	eventually(t, "socket is forgotten", func() bool { return s.streams.only.Audience().ViewerSockets == 0 })
}

func TestFloodCostsTheSocket(t *testing.T) {
	s := running(t, Config{Limits: LimitsConfig{MessagesPerSecond: 1, MessageBurst: 5}})
	c := dial(t, s, nil, "")
	for range 100 {
		if c.ws.WriteMessage(websocket.TextMessage, []byte("null")) != nil {
			break
		}
	}
	_ = c.gone()
	eventually(t, "socket is forgotten", func() bool { return s.streams.only.Audience().ViewerSockets == 0 })
}

func TestSlowReaderIsCut(t *testing.T) {
	s := running(t, Config{Limits: LimitsConfig{SendQueueBytes: 16 << 10, MessagesPerSecond: 1 << 20, MessageBurst: 1 << 20}})
	c := dial(t, s, nil, "")
	fast := dial(t, s, nil, "")
	fast.send(announce(hashOne, peerID(1), 0))
	fast.expect(signaling.KindReply)
	// The client sends requests and never reads replies: the buffers of two kernels, then ours, fill up.
	var hashes []string
	for i := range 60 {
		hashes = append(hashes, `"`+peerID(i).String()+`"`)
	}
	question := `{"action":"scrape","info_hash":[` + strings.Join(hashes, ",") + `]}`
	_ = c.ws.SetWriteDeadline(time.Now().Add(patience))
	for c.ws.WriteMessage(websocket.TextMessage, []byte(question)) == nil {
		if s.streams.only.Audience().ViewerSockets == 1 {
			break
		}
	}
	eventually(t, "the slow reader is cut", func() bool { return s.streams.only.Audience().ViewerSockets == 1 })
	fast.send(announce(hashOne, peerID(1), 0))
	fast.expect(signaling.KindReply)
}

func TestHalfOpenSocketIsFound(t *testing.T) {
	s := running(t, Config{})
	dead := dial(t, s, nil, "")
	dead.send(announce(hashOne, peerID(1), 0))
	dead.expect(signaling.KindReply)
	// It no longer reads, so it answers no ping. A socket that announces its id is a peer at once, and has it probed.
	heir := dial(t, s, nil, "")
	heir.send(announce(hashOne, peerID(1), 0))
	heir.expect(signaling.KindReply)
	eventually(t, "the dead socket is closed", func() bool { return s.streams.only.Audience().ViewerSockets == 1 })
	// Its swarm hears of that a moment later.
	eventually(t, "its peer to be removed", func() bool {
		got := s.streams.only.Snapshot()
		return len(got) == 1 && got[0].Peers == 1
	})
}

func TestSocketLimits(t *testing.T) {
	s := running(t, Config{Limits: LimitsConfig{SocketsPerAddress: 2}, AllowedOrigins: []string{"https://good.example"}})
	dial(t, s, http.Header{"Origin": {"https://good.example"}}, "")
	if _, status, err := tryDial(s, http.Header{"Origin": {"https://evil.example"}}, ""); err == nil || status != http.StatusForbidden {
		t.Fatalf("foreign origin: %d, %v", status, err)
	}
	second := dial(t, s, http.Header{"Origin": {"http://" + s.Addr().String()}}, "")
	if _, status, err := tryDial(s, nil, ""); err == nil || status != http.StatusForbidden {
		t.Fatalf("no origin: %d, %v", status, err)
	}
	good := http.Header{"Origin": {"https://good.example"}}
	if _, status, err := tryDial(s, good, ""); err == nil || status != http.StatusServiceUnavailable {
		t.Fatalf("third socket of one address: %d, %v", status, err)
	}
	_ = second.ws.Close()
	eventually(t, "there is room again", func() bool {
		c, _, err := tryDial(s, good, "")
		if err == nil {
			t.Cleanup(func() { _ = c.Close() })
		}
		return err == nil
	})
}

func TestLimitsOfOneSocket(t *testing.T) {
	s := running(t, Config{Limits: LimitsConfig{SwarmsPerSocket: 2, IDsPerSocket: 2}, Shards: 2})
	c := dial(t, s, nil, "")
	for i, want := range []signaling.Kind{signaling.KindReply, signaling.KindReply, signaling.KindFailure} {
		hash := hashOne
		hash[0] = byte(i)
		c.send(announce(hash, peerID(1), 0))
		c.expect(want)
	}
	hash := hashOne
	hash[0] = 0
	c.send(announce(hash, peerID(2), 0))
	c.expect(signaling.KindReply)
	c.send(announce(hash, peerID(3), 0))
	c.expect(signaling.KindFailure)
}

func TestOnlyAllowedInfoHashes(t *testing.T) {
	s := running(t, Config{})
	c := dial(t, s, nil, "")
	s.streams.only.hub.allow([]signaling.ID{hashOne})
	other := hashOne
	other[0]++
	c.send(announce(other, peerID(1), 0))
	if m := c.expect(signaling.KindFailure); m.InfoHash != other {
		t.Fatalf("failure is about %q", m.InfoHash)
	}
	c.send(announce(hashOne, peerID(1), 0))
	c.expect(signaling.KindReply)
	s.streams.only.hub.allow(nil)
	c.send(announce(other, peerID(1), 0))
	c.expect(signaling.KindReply)
}

func TestPings(t *testing.T) {
	s := running(t, Config{Limits: LimitsConfig{PingInterval: Duration(time.Second)}})
	c := dial(t, s, nil, "")
	pinged := make(chan struct{}, 10)
	c.ws.SetPingHandler(func(string) error {
		pinged <- struct{}{}
		return c.ws.WriteControl(websocket.PongMessage, nil, time.Now().Add(time.Second))
	})
	ponged := make(chan struct{}, 10)
	c.ws.SetPongHandler(func(data string) error {
		if data == "hello" {
			ponged <- struct{}{}
		}
		return nil
	})
	go func() { _ = c.gone() }()
	if err := c.ws.WriteControl(websocket.PingMessage, []byte("hello"), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	for _, ch := range []chan struct{}{ponged, pinged, pinged} {
		select {
		case <-ch:
		case <-time.After(patience):
			t.Fatal("no ping or pong")
		}
	}
}

func TestIdleSocketIsClosed(t *testing.T) {
	s := running(t, Config{Limits: LimitsConfig{PingInterval: Duration(time.Second), IdleTimeout: Duration(300 * time.Millisecond)}})
	c := dial(t, s, nil, "")
	if err := c.gone(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Fatalf("closed with %v", err)
	}
}

func TestChatterCostsTheSocket(t *testing.T) {
	s := running(t, Config{})
	c := dial(t, s, nil, "")
	for range 1000 {
		if c.ws.WriteMessage(websocket.BinaryMessage, []byte("x")) != nil {
			break
		}
	}
	_ = c.gone()
	eventually(t, "socket is forgotten", func() bool { return s.streams.only.Audience().ViewerSockets == 0 })
}

func TestClientsGoodbyeIsReturned(t *testing.T) {
	s := running(t, Config{})
	c := dial(t, s, nil, "")
	if err := c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := c.gone(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Fatalf("closed with %v", err)
	}
}

func TestDrain(t *testing.T) {
	var s *Server
	var clients []*client
	t.Run("running", func(t *testing.T) {
		s = running(t, Config{AdminListen: "127.0.0.1:0", DrainPeriod: Duration(200 * time.Millisecond)})
		for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
			if status, _ := get(t, "http://"+s.AdminAddr().String()+path); status != http.StatusOK {
				t.Fatalf("%s: %d", path, status)
			}
		}
		if status, _ := get(t, "http://"+s.AdminAddr().String()+"/debug/pprof/"); status != http.StatusNotFound {
			t.Fatalf("pprof without a flag: %d", status)
		}
		for i := range 5 {
			c, _, err := tryDial(s, nil, "")
			if err != nil {
				t.Fatal(err)
			}
			clients = append(clients, &client{t, c})
			clients[i].send(announce(hashOne, peerID(i), 0))
			clients[i].expect(signaling.KindReply)
		}
	})
	// The tracker ended with the subtest.
	for _, c := range clients {
		c.t = t
		if err := c.gone(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
			t.Fatalf("closed with %v", err)
		}
		_ = c.ws.Close()
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", req.URL.Scheme+"://"+req.URL.Host) // as a page of that host sends
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func writeCertificate(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, priv.Public(), priv)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	write(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	return cert, key
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTLSReloads(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, "one.example")
	var logged buffer
	s := logging(t, Config{TLSCert: cert, TLSKey: key}, slog.New(slog.NewTextHandler(&logged, nil)))
	name := func() string {
		c, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", s.Addr().String(),
			&tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		return c.ConnectionState().PeerCertificates[0].DNSNames[0]
	}
	if got := name(); got != "one.example" {
		t.Fatalf("certificate of %s", got)
	}
	writeCertificate(t, dir, "two.example")
	s.cert.Check()
	if got := name(); got != "two.example" {
		t.Fatalf("certificate of %s after the change", got)
	}
	write(t, cert, []byte("nonsense"))
	s.cert.Check()
	s.cert.Check()
	if got := name(); got != "two.example" || strings.Count(logged.String(), "cannot be used") != 1 {
		t.Fatalf("certificate of %s after a bad change; log: %s", got, logged.String())
	}
	ws, resp, err := (&websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}).Dial("wss://"+s.Addr().String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	c := &client{t, ws}
	c.send(announce(hashOne, peerID(1), 5))
	c.expect(signaling.KindReply)
	_ = ws.Close()
}

func TestTokenFileReloads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write(t, file, []byte("one\n"))
	s := running(t, Config{SeederTokenFile: file})
	write(t, file, []byte("two"))
	s.token.Check()
	if got := s.SeederToken(); got != "two" {
		t.Fatalf("token %q", got)
	}
	write(t, file, nil)
	s.token.Check()
	if got := s.SeederToken(); got != "two" {
		t.Fatalf("token %q after a bad change", got)
	}
}

func TestPages(t *testing.T) {
	mounted := running(t, Config{})
	if status, _ := get(t, "http://"+mounted.Addr().String()+"/"); status != http.StatusUpgradeRequired {
		t.Fatalf("/: %d", status)
	}
	if status, _ := get(t, "http://"+mounted.Addr().String()+"/nothing"); status != http.StatusNotFound {
		t.Fatalf("/nothing: %d", status)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for field, cfg := range map[string]Config{
		"config.listen":               {Listen: "x"},
		"config.adminListen":          {AdminListen: "x"},
		"config.tlsCert":              {TLSCert: "x"},
		"config.seederToken":          {SeederToken: "x", SeederTokenFile: "y"},
		"config.announceInterval":     {AnnounceInterval: IntervalConfig{Min: Duration(time.Minute), Max: Duration(time.Second)}},
		"config.limits.pingInterval":  {Limits: LimitsConfig{PingInterval: Duration(time.Hour)}},
		"config.limits.sockets":       {Limits: LimitsConfig{Sockets: -1}},
		"config.stream.sourceURL":     {Stream: &StreamConfig{SourceURL: "x"}},
		"config.peering.maxPeers":     {Peering: PeeringConfig{Peers: 10, MaxPeers: 5}},
		"config.announceInterval.max": {AnnounceInterval: IntervalConfig{Max: Duration(2 * time.Hour)}},
	} {
		if _, err := New(cfg, nil, nil); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
