package dash

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// event is a live MPD of one period with n entries from a number on.
func event(start string, from, n int) string {
	return `<MPD type="dynamic" availabilityStartTime="1970-01-01T00:00:00Z" suggestedPresentationDelay="PT25S"><Period id="p" start="` + start + `">` +
		fmt.Sprintf(videoSet, fmt.Sprintf(`<SegmentList duration="4" startNumber="%d">%s</SegmentList>`, from+1, urls(from, n))) + `</Period></MPD>`
}

func urls(from, n int) string {
	out := ""
	for i := from; i < from+n; i++ {
		out += fmt.Sprintf(`<SegmentURL media="s%d.m4s"/>`, i)
	}
	return out
}

func listOf(t *testing.T, mpd string) (*Presentation, *Playlist) {
	t.Helper()
	p, err := Parse([]byte(mpd), someURL)
	if err != nil {
		t.Fatal(err)
	}
	list, err := p.Playlist(p.Renditions[0], time.Unix(1000, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, list
}

// TestFollow checks what is told of the way from one state to the next.
func TestFollow(t *testing.T) {
	for name, c := range map[string]struct {
		before, after string
		want          Progress
	}{
		"nothing new": {event("PT0S", 10, 5), event("PT0S", 10, 5), Progress{}},
		"two more":    {event("PT0S", 10, 5), event("PT0S", 12, 5), Progress{Added: 2, Removed: 2}},
		"a gap":       {event("PT0S", 10, 5), event("PT0S", 30, 5), Progress{Added: 5, Removed: 5}},
		"older":       {event("PT0S", 12, 5), event("PT0S", 10, 5), Progress{Added: 2, Removed: 2, Backwards: true}},
		"anew":        {event("PT0S", 50, 5), event("PT0S", 0, 5), Progress{Added: 5, Removed: 5, Restarted: true}},
	} {
		t.Run(name, func(t *testing.T) {
			_, before := listOf(t, c.before)
			_, after := listOf(t, c.after)
			if got := Compare(before, after); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
	_, before := listOf(t, event("PT0S", 0, 5))
	ended := *before
	ended.Live, ended.Ended = false, true
	if got := Compare(before, &ended); got != (Progress{Ended: true}) {
		t.Errorf("the end is %+v", got)
	}
}

// TestNumbering checks that known segments keep their numbers, and that Judge tells of those that have moved.
func TestNumbering(t *testing.T) {
	ids := func(list *Playlist) (out []int64) {
		for _, s := range list.Segments {
			out = append(out, s.IDs.Counted)
		}
		return out
	}
	n := NewNumbering()
	p, first := listOf(t, event("PT0S", 0, 3))
	n.Apply(first)
	if v := Judge(p, map[string]*Playlist{p.Renditions[0].Name: first}); v.MainOff {
		t.Errorf("P2P is off: %+v", v)
	}
	p, second := listOf(t, event("PT100S", 1, 3))
	n.Apply(second)
	if got, want := ids(second), []int64{8, 16, 224}; !slices.Equal(got, want) {
		t.Errorf("numbers %v, want %v", got, want)
	}
	if v := Judge(p, map[string]*Playlist{p.Renditions[0].Name: second}); v.Reason != NumbersMove || !v.MainOff || v.SecondaryOff {
		t.Errorf("verdict %+v", v)
	}
}
