package swarm

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
)

// promise is how a peer that says it holds everything answers requests.
type promise struct {
	name   string
	answer func(s *stranger, c wire.Command)
	// offence is the reason that it is cut off for in the end.
	offence string
	// absent: it says that it has nothing, and its request need not be cancelled.
	absent bool
	// claims: it says that it is fetching segments, and never holds them.
	claims bool
}

func promises(segment func(id int64) []byte) []promise {
	media := make([]byte, 60_000)
	_, _ = rand.Read(media) // never fails
	header := func(s *stranger, c wire.Command, size int64) {
		s.send(encode(wire.Command{Code: wire.SegmentData, SegmentID: c.SegmentID, RequestID: c.RequestID, Size: size}))
	}
	completed := func(s *stranger, c wire.Command) {
		s.send(encode(wire.Command{Code: wire.SegmentDataSendingCompleted, SegmentID: c.SegmentID, RequestID: c.RequestID}))
	}
	return []promise{
		{name: "silence", answer: func(*stranger, wire.Command) {}},
		{name: "a size and no bytes", answer: func(s *stranger, c wire.Command) { header(s, c, 100_000) }},
		{name: "half a segment", answer: func(s *stranger, c wire.Command) {
			data := segment(c.SegmentID)[c.From:]
			header(s, c, int64(len(data)))
			s.send(data[:min(len(data)/2, len(media))])
		}},
		{name: "a byte now and then", answer: func(s *stranger, c wire.Command) {
			data := segment(c.SegmentID)[c.From:]
			header(s, c, int64(len(data)))
			go func() {
				tick := time.NewTicker(100 * time.Millisecond)
				defer tick.Stop()
				for len(data) > 0 && s.send(data[:1]) {
					data = data[1:]
					<-tick.C
				}
			}()
		}},
		{name: "absent after all", answer: func(s *stranger, c wire.Command) {
			s.send(encode(wire.Command{Code: wire.SegmentAbsent, SegmentID: c.SegmentID, RequestID: c.RequestID}))
		}, absent: true},
		{name: "a segment of a petabyte", answer: func(s *stranger, c wire.Command) { header(s, c, 1<<50) }, offence: "protocol"},
		{name: "a segment of less than nothing", answer: func(s *stranger, c wire.Command) {
			five := encode(wire.Command{Code: wire.SegmentData, SegmentID: c.SegmentID, RequestID: c.RequestID, Size: 5})
			s.send(bytes.Replace(five, []byte("s\x01\x05"), []byte("s\x01\x85"), 1)) // the top bit is the sign
		}, offence: "protocol"},
		{name: "no size", answer: func(s *stranger, c wire.Command) { header(s, c, 0) }, offence: "protocol"},
		{name: "more than it said", answer: func(s *stranger, c wire.Command) {
			header(s, c, 1000)
			s.send(media)
		}, offence: "protocol"},
		{name: "less than it said", answer: func(s *stranger, c wire.Command) {
			header(s, c, 100_000)
			s.send(media[:1000])
			completed(s, c)
		}, offence: "protocol"},
		{name: "the end of another", answer: func(s *stranger, c wire.Command) {
			header(s, c, 100_000)
			c.SegmentID++
			completed(s, c)
		}, offence: "protocol"},
		{name: "always fetching", claims: true},
	}
}

// promises lets strangers announce what is about to be played, all at the same time, and not deliver it. Viewers ask other
// peers, or the origin, in time to play on.
func (s *scene) promises(t *testing.T) {
	watch, before := bystander.Measure(t, s.viewers.Process), s.viewers.Metrics(t)
	grown := func(name string, labels ...string) float64 {
		return s.viewers.Metrics(t).Sum(name, labels...) - before.Sum(name, labels...)
	}
	all := promises(s.segments(t))
	cut := map[string]float64{}
	lab.Eventually(t, 30*time.Second, "all viewers at the crossroads", func() bool {
		return len(s.crossroads.all(identity.ViewerPrefix)) == s.count
	})
	members := s.crossroads.all(identity.ViewerPrefix)
	t.Run("all", func(t *testing.T) {
		for i, p := range all {
			if p.offence != "" {
				cut[p.offence]++
			}
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				p.make(t, members[i%len(members)])
			})
		}
	})
	for offence, want := range cut {
		if got := grown("p2pstream_loader_peers_cut_off_total", `reason="`+offence+`"`); got != want {
			t.Errorf("%v peers were cut off for %s, want %v", got, offence, want)
		}
	}
	lab.Eventually(t, 10*time.Second, "the others to be blamed", func() bool { return grown("p2pstream_loader_peers_blamed_total") >= 4 })
	if stalls := grown("p2pstream_viewer_stalls_total"); stalls != 0 {
		t.Errorf("%v stalls", stalls)
	}
	watch.Check(t, bystander.Bounds{Memory: 96 << 20, Log: 4 << 10, Rest: restOfPlaying})
}

// make connects to a viewer, makes the promise, and sees what comes of it.
func (p promise) make(t *testing.T, m *member) {
	var asked, left atomic.Int64
	promiser := meet(t, m, manner{heard: func(s *stranger, c wire.Command) {
		switch c.Code {
		case wire.SegmentRequest:
			asked.Add(1)
			p.answer(s, c)
		case wire.CancelSegmentRequest:
			left.Add(1)
		}
	}})
	announce := func() {
		around := wire.Command{Code: wire.SegmentsAnnouncement}
		for id := edge() - 8; id < edge()+16; id++ {
			if p.claims {
				around.Loading = append(around.Loading, id)
			} else {
				around.Loaded = append(around.Loaded, id)
			}
		}
		promiser.send(encode(around))
	}
	announce()
	if p.claims {
		promiser.connected()
		return
	}
	defer func() {
		if t.Failed() {
			t.Logf("asked %d times, left %d times", asked.Load(), left.Load())
		}
	}()
	// Which peer a viewer asks is random: this takes four seconds as a rule, and now and then three quarters of a minute.
	lab.Eventually(t, 2*time.Minute, "the peer to be asked, and left or cut off", func() bool {
		announce()
		return promiser.closed() || (p.offence == "" && asked.Load() > 0 && (p.absent || left.Load() > 0))
	})
}

// segments returns what gives the bytes of a segment as the origin has them.
func (s *scene) segments(t *testing.T) func(id int64) []byte {
	t.Helper()
	source := lab.Must[*manifest.Source](t)(manifest.NewSource(manifest.SourceConfig{URL: s.Source}))
	t.Cleanup(source.Close)
	p := lab.Must[*manifest.Presentation](t)(source.Load(t.Context()))
	ctx := context.WithoutCancel(t.Context())
	return func(id int64) []byte {
		list, err := source.LoadPlaylist(ctx, p.Renditions[0])
		if err != nil {
			t.Error(err)
			return nil
		}
		for _, segment := range list.Segments {
			if segment.Sequence != id {
				continue
			}
			body, _, err := source.FetchSegment(ctx, segment, 0)
			if err != nil {
				break
			}
			data, _ := io.ReadAll(body)
			_ = body.Close()
			return data
		}
		return make([]byte, 100_000) // it is not published yet, or not any more
	}
}
