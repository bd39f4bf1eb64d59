package mesh

import (
	"net"
	"net/netip"
	"runtime"
	"sync"
)

// Bounds of what waits between the connections and the kernel.
const (
	// runPackets is how many packets one call sends at most. Kernels take 64; the gain is had with fewer,
	// and smaller buffers are kept for the next batch.
	runPackets = 16
	// runBytes is enough for that many packets of SCTP over DTLS.
	runBytes = 20 << 10
	// batchBytes is how much may wait; writers wait for room beyond it.
	batchBytes = 1 << 20
)

// batchSocket is a UDP socket that hands the kernel whole runs of packets: consecutive packets of one size
// to one address cost one system call where the kernel can cut them apart itself (UDP generic
// segmentation offload). One goroutine sends; while it is in the kernel or not yet scheduled, more packets
// gather, so that batches grow with the load and a lone packet waits for nothing.
type batchSocket struct {
	*net.UDPConn
	send    runSender
	metrics *metrics
	done    chan struct{}

	mu     sync.Mutex
	filled sync.Cond
	room   sync.Cond
	runs   []*packetRun
	last   map[netip.AddrPort]*packetRun
	free   []*packetRun
	bytes  int
	closed bool
}

// packetRun is packets to one address: all of size bytes but the last, which may be shorter and then ends
// the run.
type packetRun struct {
	to    netip.AddrPort
	buf   []byte
	size  int
	count int
	ended bool
}

// runSender gives one run to the kernel and says in how many calls. What cannot be sent is lost, as with
// any datagram.
type runSender interface{ sendRun(r *packetRun) int }

func newBatchSocket(conn *net.UDPConn, m *metrics) *batchSocket {
	s := &batchSocket{
		UDPConn: conn, send: newRunSender(conn), metrics: m,
		done: make(chan struct{}),
		last: map[netip.AddrPort]*packetRun{},
	}
	s.filled.L, s.room.L = &s.mu, &s.mu
	go s.flush()
	return s
}

// ReadFromAddrPort reads one packet without allocating its address.
func (s *batchSocket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	return s.ReadFromUDPAddrPort(b)
}

// WriteTo queues one packet.
func (s *batchSocket) WriteTo(b []byte, addr net.Addr) (int, error) {
	udp, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("not a UDP address")
	}
	return s.WriteToAddrPort(b, udp.AddrPort())
}

// WriteToAddrPort queues a copy of one packet; it waits while too much is queued.
func (s *batchSocket) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.bytes > batchBytes && !s.closed {
		s.room.Wait()
	}
	if s.closed {
		return 0, net.ErrClosed
	}
	r := s.last[to]
	if r == nil || r.ended || len(b) > r.size || r.count == runPackets || len(r.buf)+len(b) > runBytes {
		r = s.newRun(to, len(b))
	}
	r.buf = append(r.buf, b...)
	r.count++
	r.ended = len(b) < r.size
	s.bytes += len(b)
	return len(b), nil
}

func (s *batchSocket) newRun(to netip.AddrPort, size int) *packetRun {
	var r *packetRun
	if n := len(s.free); n > 0 {
		r = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		r = &packetRun{}
	}
	*r = packetRun{to: to, size: size, buf: r.buf[:0]}
	s.last[to] = r
	s.runs = append(s.runs, r)
	if len(s.runs) == 1 {
		s.filled.Signal()
	}
	return r
}

// flush sends what has gathered, until the socket is closed.
func (s *batchSocket) flush() {
	defer close(s.done)
	var sending []*packetRun
	for {
		s.mu.Lock()
		s.recycle(sending)
		if s.await() {
			// The writer has mostly just begun a burst. Letting it run on makes the batch three times as long.
			s.mu.Unlock()
			runtime.Gosched()
			s.mu.Lock()
		}
		if s.closed {
			s.mu.Unlock()
			return
		}
		sending, s.runs = s.runs, sending[:0]
		clear(s.last)
		s.bytes = 0
		s.room.Broadcast()
		s.mu.Unlock()
		packets, calls := 0, 0
		for _, r := range sending {
			packets += r.count
			calls += s.send.sendRun(r)
		}
		s.metrics.sentPackets.Add(float64(packets))
		s.metrics.sendCalls.Add(float64(calls))
	}
}

// await waits for a run, and says whether it had to.
func (s *batchSocket) await() bool {
	waited := false
	for len(s.runs) == 0 && !s.closed {
		waited = true
		s.filled.Wait()
	}
	return waited
}

// recycle keeps some of the buffers that were sent.
func (s *batchSocket) recycle(sent []*packetRun) {
	const keep = 2 * batchBytes / runBytes // of runBytes each
	for i, r := range sent {
		if len(s.free) < keep {
			s.free = append(s.free, r)
		}
		sent[i] = nil
	}
}

// Close closes the socket; what is queued is lost.
func (s *batchSocket) Close() error {
	s.mu.Lock()
	s.closed = true
	s.filled.Broadcast()
	s.room.Broadcast()
	s.mu.Unlock()
	err := s.UDPConn.Close()
	<-s.done
	return err
}

// eachPacket is how a run is sent where the kernel cannot cut it.
func eachPacket(r *packetRun, write func(packet []byte)) int {
	for b := r.buf; len(b) > 0; {
		n := min(r.size, len(b))
		write(b[:n])
		b = b[n:]
	}
	return r.count
}
