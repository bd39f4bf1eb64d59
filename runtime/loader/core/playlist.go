package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// minRetired is how many segments that have left a playlist are still known, at least.
const minRetired = 1024

// Failing takes whether the playlist can be refreshed now.
func (c *Core) Failing(is bool) {
	c.failing = is
	if is {
		c.Changed = true // an expected segment is no longer expected
	}
}

// Merge takes a new playlist: new segments are added, those that left it retire.
func (c *Core) Merge(p *manifest.Playlist, now time.Time) {
	if p.Restarted && p != c.playlist {
		c.begin(now)
	}
	c.playlist = p
	inPlaylist := make(map[store.Key]bool, len(p.Segments))
	fresh := false
	for _, m := range p.Segments {
		key := store.Key(m.Key())
		if inPlaylist[key] {
			continue // only the first entry with a URI and range exists for players
		}
		inPlaylist[key] = true
		if old, ok := c.table.byKey[key]; ok {
			old.retired = time.Time{}
			c.renamed(old, m)
			old.Segment = m
			continue
		}
		seg := c.newSegment(m, key)
		if c.store.Has(key) {
			seg.State = schedule.Held
		}
		c.table.add(seg)
		fresh = true
	}
	for _, seg := range c.table.order {
		if !inPlaylist[seg.Key] && seg.InPlaylist() {
			seg.retired = now
		}
	}
	if fresh {
		c.newestAt = now
		c.driver.Learned()
	}
	if !p.Live && c.playhead != nil && len(p.Segments) > 0 {
		last := p.Segments[len(p.Segments)-1]
		c.playhead.clock.SetEnd(last.Start + last.Duration - p.Segments[0].Start)
	}
	c.table.clarify(p, c.Config.Generations)
	c.endsAt(p)
	c.Changed = true
}

func (c *Core) drop(seg *Segment) {
	c.giveUp(seg)
	c.gone(seg)
	c.store.Remove(seg.Key)
	c.table.remove(seg)
	c.Changed = true
}

// Retire drops segments that left the playlist two target durations ago: until
// then players that refresh late may still want them.
func (c *Core) Retire(now time.Time) {
	if c.playlist == nil {
		return
	}
	keep := 2 * c.playlist.TargetDuration
	if c.Config.OnDemand {
		// Players may ask for a segment as long after it left the playlist as the playlist is (RFC 8216 §6.2.2).
		keep = max(keep, c.playlist.Window)
	}
	// A playlist with other segments at each load must not fill the memory with those that have left it.
	excess := len(c.table.order) - len(c.playlist.Segments) - max(minRetired, len(c.playlist.Segments))
	kept := c.table.order[:0]
	for _, seg := range c.table.order {
		switch {
		case excess > 0 && !seg.InPlaylist():
			c.drop(seg)
			excess--
		case seg.InPlaylist(), now.Sub(seg.retired) < keep, c.toBePlayed(seg, now), seg.Readers.Len() > 0:
			kept = append(kept, seg)
		default:
			c.drop(seg)
		}
	}
	clear(c.table.order[len(kept):])
	c.table.order = kept
	c.driver.Known(len(kept))
}
