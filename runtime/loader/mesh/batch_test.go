package mesh

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

// heldSender keeps runs back until it is told to go on.
type heldSender struct {
	gate chan struct{}
	mu   sync.Mutex
	runs []packetRun
}

func (h *heldSender) sendRun(r *packetRun) int {
	<-h.gate
	h.mu.Lock()
	defer h.mu.Unlock()
	run := *r
	run.buf = slices.Clone(r.buf)
	h.runs = append(h.runs, run)
	return 1
}

func testMetrics(t testing.TB) *metrics {
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func loopbackUDP(t testing.TB) *net.UDPConn {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestBatchCutsRuns(t *testing.T) {
	a, b := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.1:2")
	type packet struct {
		to   netip.AddrPort
		size int
	}
	type run struct {
		to    netip.AddrPort
		count int
		bytes int
	}
	repeat := func(p packet, n int) []packet { return slices.Repeat([]packet{p}, n) }
	for name, c := range map[string]struct {
		in   []packet
		want []run
	}{
		"equal packets share a run":        {repeat(packet{a, 1200}, 3), []run{{a, 3, 3600}}},
		"a shorter one ends it":            {[]packet{{a, 1200}, {a, 100}, {a, 1200}}, []run{{a, 2, 1300}, {a, 1, 1200}}},
		"a longer one begins another":      {[]packet{{a, 100}, {a, 1200}}, []run{{a, 1, 100}, {a, 1, 1200}}},
		"addresses do not cut each other":  {[]packet{{a, 1200}, {b, 1200}, {a, 1200}}, []run{{a, 2, 2400}, {b, 1, 1200}}},
		"a run has a bound in packets":     {repeat(packet{a, 100}, runPackets+1), []run{{a, runPackets, 100 * runPackets}, {a, 1, 100}}},
		"a run has a bound in bytes":       {repeat(packet{a, 8000}, 3), []run{{a, 2, 16000}, {a, 1, 8000}}},
		"an empty packet is a packet also": {[]packet{{a, 0}, {a, 10}}, []run{{a, 1, 0}, {a, 1, 10}}},
	} {
		t.Run(name, func(t *testing.T) {
			conn := loopbackUDP(t)
			s := newBatchSocket(conn, testMetrics(t))
			defer func() { _ = s.Close() }()
			h := &heldSender{gate: make(chan struct{})}
			s.mu.Lock()
			s.send = h
			s.mu.Unlock()
			// The first packet holds the sender up, so that the others gather.
			first := netip.MustParseAddrPort("192.0.2.9:9")
			if _, err := s.WriteToAddrPort([]byte("x"), first); err != nil {
				t.Fatal(err)
			}
			until(t, "sender is busy", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.runs) == 0 })
			for _, p := range c.in {
				if n, err := s.WriteTo(make([]byte, p.size), net.UDPAddrFromAddrPort(p.to)); n != p.size || err != nil {
					t.Fatal(n, err)
				}
			}
			close(h.gate)
			until(t, "all sent", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.runs) == 1+len(c.want) })
			for i, w := range c.want {
				if r := h.runs[i+1]; r.to != w.to || r.count != w.count || len(r.buf) != w.bytes {
					t.Errorf("run %d is %v × %d, %d bytes; want %v", i, r.to, r.count, len(r.buf), w)
				}
			}
		})
	}
}

func TestBatchArrivesInOrder(t *testing.T) {
	for _, name := range []string{"segmented", "one by one"} {
		t.Run(name, func(t *testing.T) {
			in, conn := loopbackUDP(t), loopbackUDP(t)
			defer func() { _ = in.Close() }()
			s := newBatchSocket(conn, testMetrics(t))
			defer func() { _ = s.Close() }()
			if name == "one by one" {
				s.mu.Lock()
				s.send = plainSender{conn}
				s.mu.Unlock()
			}
			local, ok := in.LocalAddr().(*net.UDPAddr)
			if !ok {
				t.Fatal("no address")
			}
			if err := in.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 2000)
			for round := range 20 {
				for i := range 40 {
					p := make([]byte, 1200-i%7)
					binary.BigEndian.PutUint32(p, uint32(round*40+i))
					if _, err := s.WriteToAddrPort(p, local.AddrPort()); err != nil {
						t.Fatal(err)
					}
				}
				for i := range 40 {
					n, err := in.Read(buf)
					if err != nil {
						t.Fatal(err)
					}
					if got := int(binary.BigEndian.Uint32(buf)); got != round*40+i || n != 1200-i%7 {
						t.Fatalf("packet %d of %d bytes came as number %d", got, n, round*40+i)
					}
				}
			}
		})
	}
}

type plainSender struct{ conn *net.UDPConn }

func (s plainSender) sendRun(r *packetRun) int {
	return eachPacket(r, func(p []byte) { _, _ = s.conn.WriteToUDPAddrPort(p, r.to) })
}

func TestBatchBoundsWhatWaits(t *testing.T) {
	s := newBatchSocket(loopbackUDP(t), testMetrics(t))
	h := &heldSender{gate: make(chan struct{})}
	s.mu.Lock()
	s.send = h
	s.mu.Unlock()
	to := netip.MustParseAddrPort("192.0.2.1:1")
	done := make(chan error)
	go func() {
		for {
			if _, err := s.WriteToAddrPort(make([]byte, 1200), to); err != nil {
				done <- err
				return
			}
		}
	}()
	until(t, "queue is full", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.bytes > batchBytes })
	close(h.gate)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("writing to a closed socket works")
	}
}
