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
	// jobDelivered: bytes that a viewer uploaded to peers.
	delivered int64

	// jobMesh: takes who is connected to whom.
	mesh chan<- meshPart
	// jobBarrier: closed when the shard reaches this job.
	reached chan struct{}
}

type jobKind uint8

const (
	jobMessage jobKind = iota
	jobClose
	jobLoad
	jobForget
	jobPlace
	jobDelivered
	jobMesh
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
			s.tick(now)
		case <-stop:
			return
		}
	}
}

// tick lets the time pass. A panic does not end the shard.
func (s *shard) tick(now time.Time) {
	defer s.recovered(&job{})
	send(s.core.Tick(now))
}

// send sends what a core returned, before its next call.
func send(all []swarm.Delivery) {
	for _, d := range all {
		conn := d.To.Ref.(sockets.Conn)
		if d.Probe {
			conn.Probe()
			continue
		}
		// Send fails only on a socket that is being closed; its session handles that.
		conn.Send(d.Payload)
	}
}

// socketOf returns the shard's view of a session's socket, or makes it.
func (s *shard) socketOf(sess *session) *swarm.Socket {
	sock := sess.socks[s.number]
	if sock == nil {
		sock = &swarm.Socket{Ref: sess.conn, Seeder: sess.client.Seeder, Join: sess.client.Join.ID, Place: *sess.place.Load()}
		// Without a limit for each address, addresses do not tell clients apart.
		if sess.hub.cfg.Limits.SocketsPerAddress > 0 {
			sock.Source = sess.client.Address
		}
		sess.socks[s.number] = sock
	}
	return sock
}

func (s *shard) do(j *job) {
	defer s.recovered(j)
	switch j.kind {
	case jobMessage:
		send(s.core.Handle(s.socketOf(j.sess), &j.message, time.Now()))
		s.metrics.handling.Observe(time.Since(j.began).Seconds())
	case jobClose:
		if sock := j.sess.socks[s.number]; sock != nil {
			send(s.core.Close(sock))
		}
	case jobLoad:
		if sock := j.sess.socks[s.number]; sock != nil {
			s.core.SetLoad(sock, j.peers, j.limit)
		}
	case jobForget:
		if sock := j.sess.socks[s.number]; sock != nil {
			send(s.core.Forget(sock, j.message.InfoHash, j.message.PeerID))
		}
	case jobPlace:
		if sock := j.sess.socks[s.number]; sock != nil {
			send(s.core.Move(sock, *j.sess.place.Load(), time.Now()))
		}
	case jobDelivered:
		if sock := j.sess.socks[s.number]; sock != nil {
			s.core.Delivered(sock, j.delivered, time.Now())
		}
	case jobMesh:
		s.tellMesh(j.mesh)
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
