package rendition

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// hold gives a rendition the bytes of all its segments.
func hold(t *testing.T, r *Rendition, text string) {
	t.Helper()
	for _, seg := range r.core.Segments() {
		data := []byte(text + seg.URL)
		if !r.transit.Reserve(len(data)) {
			t.Fatal("no room")
		}
		r.core.Complete(seg, data, true, time.Now())
		if !seg.Held() {
			t.Fatalf("segment %d is not held", seg.Sequence)
		}
	}
}

func offered(r *Rendition, id int64) bool {
	key, ok := r.index.Held(identity.V23, id)
	return ok && r.shared.Store.Has(key)
}

// TestTwoEventsShareNoSegment has a second event with the names and numbers of the first.
func TestTwoEventsShareNoSegment(t *testing.T) {
	for name, named := range map[string]bool{"the tracker names swarms": true, "it does not": false} {
		t.Run(name, func(t *testing.T) {
			r := idle(t, 0, 8)
			begun := 0
			r.shared.NewEvent = func(*Rendition) bool { begun++; return named }
			hold(t, r, "first ")
			r.announce(time.Now())
			s := connect(t, r)
			announce(t, s, 0, 1, 2, 3)
			if !offered(r, 3) {
				t.Fatal("the first event is not announced")
			}
			second := playlistOf(0, 4)
			second.Restarted = true
			r.refreshed(second, nil)
			if begun != 1 || r.shared.Store.Stats().Segments != 0 || len(r.core.Segments()) != 4 {
				t.Errorf("begun %d times, %+v, %d segments known", begun, r.shared.Store.Stats(), len(r.core.Segments()))
			}
			for _, seg := range r.core.Segments() {
				if seg.Held() {
					t.Errorf("segment %d is held", seg.Sequence)
				}
			}
			hold(t, r, "second ")
			r.core.Changed = true
			r.announce(time.Now())
			if got := offered(r, 3); got == named || (len(r.sessions) == 0) != named {
				t.Errorf("offered to peers of the old swarm: %v, %d peers are asked", got, len(r.sessions))
			}
			r.refreshed(second, nil) // it is told again after a failure
			if begun != 1 || !r.core.Segments()[0].Held() {
				t.Error("one event began twice")
			}
			r.joined(time.Now())
			r.announce(time.Now())
			if !offered(r, 3) {
				t.Error("the second event is not announced in its swarm")
			}
		})
	}
}

// TestNothingIsAnnouncedInDoubt has the numbers of a playlist go back.
func TestNothingIsAnnouncedInDoubt(t *testing.T) {
	r := idle(t, 100, 8)
	r.shared.Settings.Seeder, r.core.Config.Seeder = true, true
	hold(t, r, "")
	r.announce(time.Now())
	doubt := doubtOf(t)
	r.refreshed(nil, doubt)
	r.announce(time.Now())
	if offered(r, 100) || len(r.announcer.last[identity.V23].loaded) > 0 {
		t.Error("it is announced while a new event may have begun")
	}
	r.core.Merge(playlistOf(101, 8), time.Now())
	r.core.Fetch(r.core.Segments()[8], time.Now())
	if r.shared.Counters.OriginRequests.Load() != 0 {
		t.Error("a segment was fetched under a name that may be another event's")
	}
	r.refreshed(nil, errors.New("of another kind"))
	if !r.core.Silent() {
		t.Error("a failure ended the doubt")
	}
	r.refreshed(playlistOf(100, 8), nil)
	r.announce(time.Now())
	if !offered(r, 100) {
		t.Error("it is not announced again")
	}
}

// TestAnEventThatOthersSaw: nothing of the old one is kept, and its playlist is not used any more.
func TestAnEventThatOthersSaw(t *testing.T) {
	r := idle(t, 100, 8)
	hold(t, r, "")
	r.Expect(time.Minute)
	for _, work := range r.mail.Take() {
		work()
	}
	if r.shared.Store.Stats().Segments != 0 || r.awaited().IsZero() {
		t.Errorf("held: %+v, awaited until %v", r.shared.Store.Stats(), r.awaited())
	}
	r.act(time.Now())
	r.refreshed(playlistOf(100, 9), nil)
	if r.core.Playlist() != nil || len(r.core.Segments()) > 0 {
		t.Error("the old event's playlist was used")
	}
	next := playlistOf(0, 4)
	next.Restarted = true
	r.refreshed(next, nil)
	if r.core.Playlist() != next || len(r.core.Segments()) != 4 {
		t.Error("the new event's playlist was not used")
	}
}

// TestAnIDWithTwoMeaningsIsNotShared has a live playlist of 3 to 9 end with segment 10, whose place is 7.
func TestAnIDWithTwoMeaningsIsNotShared(t *testing.T) {
	r := idle(t, 0, 0)
	numbering := manifest.NewNumbering()
	list := func(first, last int, end string) *manifest.Playlist {
		text := fmt.Sprintf("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
		for n := first; n <= last; n++ {
			text += fmt.Sprintf("#EXTINF:2,\n%d.ts\n", n)
		}
		p, err := manifest.ParseMedia([]byte(text+end), "http://h/v.m3u8", manifest.Rendition{})
		if err != nil {
			t.Fatal(err)
		}
		p.Live = true
		numbering.Apply(p)
		return p
	}
	r.refreshed(list(3, 9, ""), nil)
	hold(t, r, "")
	r.announce(time.Now())
	for id := range int64(10) {
		if offered(r, id) != (id >= 3) {
			t.Errorf("live: %d is offered: %v", id, offered(r, id))
		}
	}
	r.refreshed(list(3, 10, "#EXT-X-ENDLIST\n"), nil)
	last := r.core.Segments()[7]
	if last.ID(identity.V23) != 7 {
		t.Fatalf("segment 10 has the id %d", last.ID(identity.V23))
	}
	r.transit.Reserve(9)
	r.core.Complete(last, []byte("http://10"), true, time.Now())
	r.announce(time.Now())
	for id := range int64(10) {
		if offered(r, id) != (id >= 8) { // 0 to 7 are places, 3 to 9 numbers
			t.Errorf("ended: %d is offered: %v", id, offered(r, id))
		}
	}
	if got := r.core.ExternalID(10, identity.V23); got != -1 {
		t.Errorf("peers are asked for segment 10 by %d", got)
	}
	if got := r.core.ExternalID(10, identity.V3); got != 10 {
		t.Errorf("peers of a generation that names no places are asked by %d", got)
	}
}
