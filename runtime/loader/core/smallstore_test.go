package core

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// TestLiveSeederWithASmallStore seeds two renditions whose windows together do not fit, with segments of many sizes.
func TestLiveSeederWithASmallStore(t *testing.T) {
	size := func(url string) int {
		n, err := strconv.Atoi(strings.TrimLeft(url, "htp:/ab"))
		if err != nil {
			t.Fatal(err)
		}
		return 400 + (n*7919)%1200
	}
	first := seeding(20_000)
	second := seeding(0)
	second.Config.Bandwidth, second.store = 4000, first.store
	for _, r := range []*subject{first, second} {
		r.d.size, r.d.evicted = size, func(keys []store.Key) { first.Evicted(keys); second.Evicted(keys) }
	}
	now := time.Now()
	const window, steps = 30, 60
	for edge := int64(window - 1); edge < window+steps; edge++ {
		for prefix, r := range map[string]*subject{"a": first, "b": second} {
			r.Merge(listed(prefix, edge-window+1, edge), now)
			drive(r, now)
		}
		now = now.Add(2 * time.Second)
	}
	asked := slices.Concat(first.d.asked, second.d.asked)
	n := len(asked)
	slices.Sort(asked)
	if distinct := len(slices.Compact(asked)); n > distinct+distinct/20 {
		t.Errorf("%d fetches of %d segments, %.2f copies: %v, %v", n, distinct, float64(n)/float64(distinct), first.d.twice(), second.d.twice())
	}
	for _, r := range []*subject{first, second} {
		if edge := r.table.order[len(r.table.order)-1]; !edge.Held() {
			t.Errorf("the newest segment of %s is not held", edge.URL)
		}
	}
}
