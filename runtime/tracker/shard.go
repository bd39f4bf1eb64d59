package tracker

import (
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
)

// job is a unit of work for a shard.
type job struct {
	kind jobKind
	sess *session

	// jobMessage: the parsed message, which aliases the bytes. jobForget: which peer id is to leave which swarm.
	message signaling.ClientMessage
	bytes   *sockets.Message
	began   time.Time

	// jobLoad
	peers, limit int

	// jobBarrier: closed when the shard reaches this job.
	reached chan struct{}
}

type jobKind uint8

const (
	jobMessage jobKind = iota
	jobClose
	jobLoad
	jobForget
	jobBarrier
)

var jobs = sync.Pool{New: func() any { return new(job) }}

func (j *job) release() {
	if j.bytes != nil {
		j.bytes.Release()
	}
	m := signaling.ClientMessage{Offers: j.message.Offers[:0], Scrape: j.message.Scrape[:0]}
	clear(m.Offers[:cap(m.Offers)])
	*j = job{message: m}
	jobs.Put(j)
}

// shard owns some of the swarms: one goroutine, which never waits for a socket.
type shard struct {
	number  int
	core    *swarm.Core
	in      chan *job
	metrics *metrics
	panics  *panics // nil: a panic is not recovered
}

// run processes jobs until stop is closed; no jobs may be sent after that.
func (s *shard) run(stop <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case j := <-s.in:
			s.do(j)
		case now := <-tick.C:
			s.core.Tick(now)
		case <-stop:
			return
		}
	}
}

func (s *shard) do(j *job) {
	defer s.recovered(j)
	switch j.kind {
	case jobMessage:
		sock := j.sess.socks[s.number]
		if sock == nil {
			sock = &swarm.Socket{Ref: j.sess.conn, Seeder: j.sess.client.Seeder}
			// Without a limit for each address, addresses do not tell clients apart.
			if j.sess.hub.cfg.Limits.SocketsPerAddress > 0 {
				sock.Source = j.sess.client.Address
			}
			j.sess.socks[s.number] = sock
		}
		now := time.Now()
		for _, d := range s.core.Handle(sock, &j.message, now) {
			conn := d.To.Ref.(sockets.Conn)
			if d.Probe {
				conn.Probe()
				continue
			}
			// Send fails only on a socket that is being closed; its session handles that.
			conn.Send(d.Payload)
		}
		s.metrics.handling.Observe(time.Since(j.began).Seconds())
	case jobClose:
		if sock := j.sess.socks[s.number]; sock != nil {
			s.core.Close(sock)
		}
	case jobLoad:
		if sock := j.sess.socks[s.number]; sock != nil {
			s.core.SetLoad(sock, j.peers, j.limit)
		}
	case jobForget:
		if sock := j.sess.socks[s.number]; sock != nil {
			s.core.Forget(sock, j.message.InfoHash, j.message.PeerID)
		}
	case jobBarrier:
		close(j.reached)
	}
	j.release()
}

// recovered is deferred: a panic while a socket's message is handled ends that socket, and the shard goes on.
func (s *shard) recovered(j *job) {
	if s.panics == nil {
		return
	}
	value := recover()
	if value == nil {
		return
	}
	s.panics.recovered(inShard, value)
	if j.bytes != nil {
		j.bytes.Release()
	}
	if j.sess != nil {
		j.sess.conn.Close(sockets.ReasonInternal)
	}
}
