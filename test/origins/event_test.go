package origins

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// The next event begins 42 s after START under the same URL, with the same names and numbers. Seconds after START:
const (
	nextEvent = 42
	moreJoin  = nextEvent + 6  // three segments are listed
	lastLook  = nextEvent + 37 // the event is at its end
	audience  = 6              // viewers that stay, and viewers that come for the next event
)

// TestNextEventIsShared has six viewers watch an event to its end and go on with the next one, for which six more come. All
// get right bytes, and nearly all of the next event's come from peers.
func TestNextEventIsShared(t *testing.T) {
	t.Parallel()
	o, _ := inprocess.StartOrigin(t, lab.LoopbackAddress())
	// The window is short, so that no number of an event names two segments at its end: see docs/origins.md, "The end of an
	// event".
	r := newRun(t, o, row{path: "/live/seg_2/window_6/ren_1/start_START/event_36_6/", age: 6})
	r.stream.AwaitSeeded(t)
	join := func(c *viewer.Config) {
		c.Count = audience
		c.JoinInterval = duration.Duration(200 * time.Millisecond)
		c.StartupWait = duration.Duration(5 * time.Second) // this test asks whose bytes they are, not how soon they come
	}
	at := func(second int64, what string) {
		lab.Eventually(t, 2*time.Minute, what, func() bool { return time.Now().Unix() >= r.start+second })
	}
	staying, stopStaying := r.stream.StartViewers(t, join)
	at(nextEvent, "the next event to begin")
	before := staying.Snapshot()
	played := before.Viewers
	if len(played) != audience {
		t.Fatalf("%d viewers watch the first event", len(played))
	}
	at(moreJoin, "more viewers to join")
	coming, stopComing := r.stream.StartViewers(t, join)
	at(lastLook, "the next event to be watched")
	after, joined := staying.Snapshot(), coming.Snapshot()
	stopStaying()
	stopComing()

	const least = 24_000 // ms of the next event
	for i, v := range after.Viewers {
		if v.PlayedMs-played[i].PlayedMs < least {
			t.Errorf("viewer %d, who stayed, played %d ms of the next event", v.ID, v.PlayedMs-played[i].PlayedMs)
		}
	}
	for _, v := range joined.Viewers {
		if v.PlayedMs < least {
			t.Errorf("viewer %d, who came, played %d ms of the next event", v.ID, v.PlayedMs)
		}
	}
	r.checkBytes(t, after)
	r.checkBytes(t, joined)
	origin := after.Total.Bytes.HTTP - before.Total.Bytes.HTTP + joined.Total.Bytes.HTTP
	peers := after.Total.Bytes.Seeder + after.Total.Bytes.Viewer - before.Total.Bytes.Seeder - before.Total.Bytes.Viewer +
		joined.Total.Bytes.Seeder + joined.Total.Bytes.Viewer
	if offload := float64(peers) / float64(origin+peers); offload < 0.95 {
		t.Errorf("offload %.3f of the next event, want 0.95: %d bytes from the origin, %d from peers", offload, origin, peers)
	}
}
