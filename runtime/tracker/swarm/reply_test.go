package swarm

import (
	"fmt"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// TestAReplyCountsThoseThatMayMeet: viewers share the work of getting a segment with these, and no others.
func TestAReplyCountsThoseThatMayMeet(t *testing.T) {
	w := newWorld(t, immediate())
	incomplete := func(name string) int {
		replies := w.take(name, signaling.KindReply)
		if len(replies) == 0 {
			t.Fatalf("%s has no reply", name)
		}
		return replies[len(replies)-1].Incomplete
	}
	for i := range 5 {
		name := fmt.Sprint("rome", i)
		w.at(name, full("Rome"))
		w.announce(name, 100+i, 0)
	}
	for i := range 3 {
		name := fmt.Sprint("bern", i)
		w.at(name, full("Bern"))
		w.announce(name, i, 0)
		if got := incomplete(name); got != i+1 {
			t.Errorf("a viewer in Bern is told of %d viewers, want %d", got, i+1)
		}
	}
	open := newWorld(t, immediate())
	open.announce("a", 1, 0)
	open.announce("b", 2, 0)
	if replies := open.take("b", signaling.KindReply); len(replies) != 1 || replies[0].Incomplete != 2 {
		t.Errorf("without sites a viewer has the replies %+v", replies)
	}
}
