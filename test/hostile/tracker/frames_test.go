package tracker

import (
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/test/lab/peer"
)

// broken are frames that RFC 6455 forbids.
var broken = map[string][]byte{
	"unmasked":                    {fin | opText, 2, '{', '}'},
	"reserved bit 1":              frame(fin|0x40|opText, []byte("{}")),
	"reserved bit 3":              frame(fin|0x10|opText, []byte("{}")),
	"reserved opcode":             frame(fin|3, []byte("{}")),
	"reserved control opcode":     frame(fin|11, nil),
	"fragmented ping":             frame(opPing, nil),
	"ping of 126 bytes":           frame(fin|opPing, make([]byte, 126)),
	"continuation of nothing":     frame(fin|opContinuation, []byte("{}")),
	"message inside a message":    append(frame(opText, []byte("{")), frame(fin|opText, []byte("}"))...),
	"close code that is reserved": frame(fin|opClose, binary.BigEndian.AppendUint16(nil, 1005)),
}

// large is the header of a frame whose payload is never sent.
func large(n uint64) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{fin | opText, 0x80 | 127}, n), 0, 0, 0, 0)
}

// frames are attacks below the level of messages.
var frames = []attack{
	{name: "broken frames", run: func(t *testing.T, s *scene) {
		s.closedFor(t, float64(len(broken)), "protocol", func() {
			for name, b := range broken {
				ws := dial(t, s.Listen, newOrigin())
				ws.raw(b)
				if code := ws.closed(t, 10*time.Second); code != codeProtocol {
					t.Errorf("%s: close code %d", name, code)
				}
			}
		})
	}},
	{name: "giant frames", run: func(t *testing.T, s *scene) {
		s.closedFor(t, 5, "too_large", func() {
			for _, n := range []uint64{64<<10 + 1, 1 << 31, 1 << 40, 1<<63 - 1, 1<<64 - 1} {
				ws := dial(t, s.Listen, newOrigin())
				ws.raw(large(n))
				ws.cutOff(t, codeTooLarge)
			}
		})
	}},
	{name: "a message without an end", run: func(t *testing.T, s *scene) {
		ws := dial(t, s.Listen, newOrigin())
		s.closedFor(t, 1, "too_large", func() {
			ws.raw(frame(opText, []byte(`{"a":"`)))
			ws.until(t, 20*time.Second, frame(opContinuation, []byte(strings.Repeat("a", 1000))))
			ws.closed(t, 20*time.Second)
		})
	}},
	{name: "a message of endlessly many empty fragments", run: func(t *testing.T, s *scene) {
		ws := dial(t, s.Listen, newOrigin())
		s.closedFor(t, 1, "flood", func() {
			ws.raw(frame(opText, []byte(`{"a":"`)))
			ws.until(t, 20*time.Second, []byte(strings.Repeat(string(frame(opContinuation, nil)), 1000)))
			ws.closed(t, 20*time.Second)
		})
	}},
	{name: "binary messages", run: func(t *testing.T, s *scene) {
		ws := dial(t, s.Listen, newOrigin())
		ws.raw(frame(fin|opBinary, []byte("{}")))
		ws.alive(t)
		s.counted(t, 100, func() {
			s.closedFor(t, 1, "flood", func() {
				ws.until(t, 20*time.Second, frame(fin|opBinary, make([]byte, 1000)))
				ws.closed(t, 20*time.Second)
			})
		}, "p2pstream_tracker_binary_messages_total")
	}},
	{name: "floods of control frames", run: func(t *testing.T, s *scene) {
		s.closedFor(t, 2, "flood", func() {
			for _, opcode := range []byte{opPing, opPong} {
				ws := dial(t, s.Listen, newOrigin())
				ws.until(t, 20*time.Second, []byte(strings.Repeat(string(frame(fin|opcode, []byte("hostile"))), 100)))
				ws.closed(t, 20*time.Second)
			}
		})
	}},
	{name: "pings are never answered", slow: true, run: func(t *testing.T, s *scene) {
		ws := dial(t, s.Listen, newOrigin())
		ws.announce(peer.NewID(), peer.NewID(), 0)
		s.closedFor(t, 1, "dead", func() {
			for deadline := time.Now().Add(30 * time.Second); ; {
				if _, _, err := ws.next(time.Until(deadline)); err != nil {
					break
				}
			}
			if !ws.gone() {
				t.Error("not cut off")
			}
		})
	}},
	{name: "sockets that never announce", slow: true, run: func(t *testing.T, s *scene) {
		s.closedFor(t, 20, "idle", func() {
			var all sync.WaitGroup
			for range 20 {
				ws := dial(t, s.Listen, newOrigin())
				all.Go(func() {
					// It answers pings, and sends nothing else.
					ws.message(40*time.Second, func(signaling.TrackerMessage) bool { return false })
					if !ws.gone() {
						t.Error("not cut off")
					}
				})
			}
			all.Wait()
		})
	}},
	{name: "sockets that never read", run: func(t *testing.T, s *scene) {
		const sockets = 10
		s.closedFor(t, sockets, "slow", func() {
			var all sync.WaitGroup
			for range sockets {
				ws := dial(t, s.Listen, newOrigin())
				all.Go(func() {
					// Each asks for as much as one message can, at the pace that is allowed.
					ask := frame(fin|opText, scrape(64))
					pace := time.NewTicker(25 * time.Millisecond)
					defer pace.Stop()
					for deadline := time.Now().Add(45 * time.Second); ws.raw(ask); <-pace.C {
						if time.Now().After(deadline) {
							t.Error("not cut off")
							return
						}
					}
				})
			}
			all.Wait()
		})
	}},
}

func scrape(n int) []byte {
	var hashes []signaling.ID
	for range n {
		hashes = append(hashes, peer.NewID())
	}
	return signaling.AppendScrape(nil, hashes...)
}

// gone reports whether the tracker has closed the connection.
func (s *socket) gone() bool {
	for {
		if _, _, err := s.next(time.Second); err != nil {
			return !isTimeout(err)
		}
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
