package browser

import "slices"

// FirstFrames is after how many milliseconds pages showed their first picture: one page without P2P and one with a
// stream's settings in each round.
type FirstFrames struct{ Plain, Shared []int }

// rounds is how often pages are opened by turns. A plain page shows its first picture either at once or some 100 ms
// later, about as often: in few rounds chance decides which of the two is the median.
const rounds = 19

// CompareFirstFrames opens pages by turns; plain and shared open one each, and tell its milliseconds.
func CompareFirstFrames(plain, shared func() int) FirstFrames {
	var f FirstFrames
	for range rounds {
		f.Plain = append(f.Plain, plain())
		f.Shared = append(f.Shared, shared())
	}
	return f
}

// Late is how many milliseconds later the pages with settings were: the difference of the medians.
func (f FirstFrames) Late() int { return median(f.Shared) - median(f.Plain) }

func median(v []int) int {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
