package integrity

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

func TestMain(m *testing.M) {
	lab.Parallel(2)
	os.Exit(lab.Main(m))
}

// largest is more bytes than a segment of livePath has.
const largest = 80_000

const livePath = "/live/seg_2/window_10/ren_1/master.m3u8"

// TestWrongMediaIsNotPlayed has viewers meet a peer that holds every segment with other bytes.
func TestWrongMediaIsNotPlayed(t *testing.T) {
	t.Parallel()
	s := inprocess.NewStream(t, livePath)
	s.StartSeeder(t, nil)
	s.AwaitSeeded(t)
	liar := inprocess.StartLiar(t, s.Source, s.WebSocket(), nil)
	lab.Eventually(t, 30*time.Second, "the liar to hold the stream", inprocess.HoldsWindow(liar.Server))
	v, stop := s.StartViewers(t, func(c *viewer.Config) {
		c.Count = 3
		c.StartupWait = duration.Duration(5 * time.Second)
	})
	lab.Eventually(t, 90*time.Second, "viewers to be given wrong bytes, to say so, and to play on", func() error {
		r, st := v.Snapshot(), s.Stats(t)
		switch {
		case r.Total.WrongSegments == 0:
			return fmt.Errorf("no wrong segment was noticed: %+v", r.Total)
		case st.Integrity == nil || st.Integrity.Checks.Wrong == 0:
			return fmt.Errorf("the tracker says %+v", st.Integrity)
		}
		for _, each := range r.Viewers {
			if each.RightSegments < 3 || each.PlayedMs < 10_000 {
				return fmt.Errorf("%+v", each)
			}
		}
		return nil
	})
	stop()
	r := v.Snapshot()
	t.Logf("%+v", r.Total)
	if r.Total.DigestErrors != 0 {
		t.Errorf("%d segments were played that are not the origin's", r.Total.DigestErrors)
	}
	for _, each := range r.Viewers {
		t.Logf("%+v", each)
		if each.Verified == 0 {
			t.Errorf("viewer %d verified nothing", each.ID)
		}
		// Each wrong segment is received once more, and so is one whose hash came too late. Nothing else is received twice. A peer that gave one is asked for
		// no more: what it had been asked for before is all that it can spoil.
		if each.WrongSegments > int64(loader.DefaultLimits.PeerSlots) || each.Discarded > (each.WrongSegments+each.UnprovenSegments)*largest {
			t.Errorf("viewer %d was given %d wrong segments and %d without a hash in time, and received %d bytes more than it played",
				each.ID, each.WrongSegments, each.UnprovenSegments, each.Discarded)
		}
	}
	if peers := r.Total.Bytes.Seeder + r.Total.Bytes.Viewer; peers <= r.Total.Bytes.HTTP {
		t.Errorf("a liar ended peer-to-peer: %+v", r.Total.Bytes)
	}
}

// TestTheOriginDecidesBetweenSeeders has two seeders of which one was given other bytes.
func TestTheOriginDecidesBetweenSeeders(t *testing.T) {
	t.Parallel()
	s := inprocess.NewStream(t, livePath)
	s.StartSeeder(t, nil)
	s.AwaitSeeded(t)
	// It has the token, so what it says counts: it is a seeder behind a cache that is broken.
	inprocess.StartLiar(t, s.Source, s.WebSocket(), func(c *seeder.Config) {
		c.Trackers, c.ForeignTrackers, c.Token = c.ForeignTrackers, nil, lab.Token
	})
	lab.Eventually(t, 60*time.Second, "the stream to be flagged", func() error {
		switch st := s.Stats(t).Integrity; {
		case st == nil:
			return errors.New("no hashes")
		case !st.Differs || st.Conflicts == 0 || st.Unstable == 0:
			return fmt.Errorf("%+v", st)
		}
		return nil
	})
}
