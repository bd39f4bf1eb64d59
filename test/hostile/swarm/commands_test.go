package swarm

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
)

// floodTime is how long a flood goes on unless it is cut off.
const floodTime = 40 * time.Second

// flood is something sent without end, and what the victim counts when it closes the connection over it.
type flood struct {
	name    string
	next    func() []byte
	offence string
}

func floods() []flood {
	garbage := make([]byte, 60_000)
	for i := range garbage {
		garbage[i] = byte(rand.Uint32())
	}
	framed := func(start string, body []byte, end string) []byte {
		return append(append([]byte(start), body...), end...)
	}
	request := func(id int64) []byte {
		return encode(wire.Command{Code: wire.SegmentRequest, SegmentID: id, RequestID: rand.Int64N(1000)})
	}
	all := everything(rand.Int64N(1 << 40))
	first, cancel := true, false
	return []flood{
		{"commands of garbage", func() []byte { return framed("cstr", garbage[:1+rand.IntN(1000)], "cend") }, "commands"},
		{"bytes that were not requested", func() []byte { return garbage[:1+rand.IntN(60_000)] }, "stray_bytes"},
		{"single bytes that were not requested", func() []byte { return garbage[:1] }, "stray_bytes"},
		{"empty messages", func() []byte { return nil }, "stray_bytes"},
		{"a command without an end", func() []byte {
			if first {
				first = false
				return framed("cstr", garbage[:50_000], "dend")
			}
			return framed("dstr", garbage[:50_000], "dend")
		}, "commands"},
		{"ends of commands that never began", func() []byte { return framed("dstr", garbage[:10], "cend") }, "commands"},
		{"announcements of everything", func() []byte { return all }, "commands"},
		{"announcements that always differ", func() []byte { return everything(rand.Int64N(1 << 40)) }, "commands"},
		{"a field repeated", func() []byte {
			body := []byte{byte(wire.SegmentsAnnouncement)}
			for len(body) < 60_000 {
				body = append(body, 'l', 0x10, 1, 1, 1, 5, 'x', 0x0f)
			}
			return framed("cstr", body, "cend")
		}, "commands"},
		{"numbers too long", func() []byte {
			return framed("cstr", []byte{byte(wire.SegmentRequest), 'i', 0x0f, 0xff, 0xff, 'r', 0x08, 0xff, 0xff, 0xff, 0xff, 0xff}, "cend")
		}, "commands"},
		{"requests for what is held", func() []byte { return request(edge() - 4) }, "commands"},
		{"requests for anything", func() []byte { return request(rand.Int64N(wire.MaxInteger)) }, "commands"},
		{"requests taken back", func() []byte {
			if cancel = !cancel; cancel {
				return request(edge() - 4)
			}
			return encode(wire.Command{Code: wire.CancelSegmentRequest, SegmentID: edge() - 4, RequestID: rand.Int64N(1000)})
		}, "commands"},
		{"answers without a request", func() []byte {
			code := []wire.Code{wire.SegmentData, wire.SegmentDataSendingCompleted, wire.SegmentAbsent}[rand.IntN(3)]
			return encode(wire.Command{Code: code, SegmentID: edge(), RequestID: rand.Int64N(1000), Size: rand.Int64N(1 << 50)})
		}, "commands"},
	}
}

// everything announces as many segments as one list can hold.
func everything(from int64) []byte {
	c := wire.Command{Code: wire.SegmentsAnnouncement}
	for i := range int64(50_000) {
		c.Loaded = append(c.Loaded, from+i)
	}
	return encode(c)
}

// floods lets strangers send without end: the seeder and the viewers close their connections, and no others.
func (s *scene) floods(t *testing.T) {
	for _, v := range s.victims() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			for _, f := range floods() {
				t.Run(f.name, func(t *testing.T) { s.flood(t, v, f) })
			}
		})
	}
}

func (s *scene) flood(t *testing.T, v victim, f flood) {
	m := s.crossroads.member(t, v.prefix)
	watch := bystander.Measure(t, v.process)
	cut := v.process.Counts(t, func() {
		attacker := meet(t, m, manner{})
		attacker.flood(floodTime, f.next)
		attacker.cutOff(10 * time.Second)
	}, "p2pstream_loader_peers_cut_off_total", `reason="`+f.offence+`"`)
	if cut != 1 {
		t.Errorf("%v peers were cut off for %s, want the attacker", cut, f.offence)
	}
	watch.Check(t, bystander.Bounds{Memory: 64 << 20, Log: 2 << 10, Rest: restOfPlaying})
	if n := v.process.Metrics(t).Sum("p2pstream_loader_announced_segments"); n > 2000 {
		t.Errorf("%v announced segments are remembered", n)
	}
}

// deaf requests segments and reads none of them: what is queued for it is bounded, and it is cut off when it has read
// nothing for a while.
func (s *scene) deaf(t *testing.T) {
	attacker := meet(t, s.crossroads.member(t, identity.SeederPrefix), manner{deaf: true})
	watch := bystander.Measure(t, s.Seeder)
	asked := 0
	if n := s.Seeder.Counts(t, func() {
		lab.Eventually(t, time.Minute, "the seeder to cut off the peer that reads nothing", func() bool {
			asked++
			attacker.send(encode(wire.Command{Code: wire.SegmentRequest, SegmentID: edge() - 2 - int64(asked%6), RequestID: int64(asked % 1000)}))
			return s.Seeder.Metrics(t).Sum(closedFor, `reason="stall"`) > 0
		})
	}, "p2pstream_mesh_queue_full_total"); n > 1 {
		t.Errorf("%v messages were refused for the one peer", n)
	}
	watch.Check(t, bystander.Bounds{Memory: 96 << 20, Log: 8 << 10, Rest: restOfPlaying})
}
