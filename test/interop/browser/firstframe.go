package browser

import "slices"

// FirstFrames is after how many milliseconds pages showed their first picture: one page without P2P and one with a
// stream's settings in each round.
type FirstFrames struct{ Plain, Shared []int }

// Late is how many milliseconds later the pages with settings were: the difference of the medians.
func (f FirstFrames) Late() int { return median(f.Shared) - median(f.Plain) }

// CompareFirstFrames opens pages by turns, for so many rounds, and twice as many more while pages with settings appear
// to be more than limit milliseconds late. A plain page shows its first picture either at once or some 100 ms later,
// about as often: in few rounds chance decides which of the two is the median, and doubt is no verdict.
func CompareFirstFrames(rounds, limit int, plain, shared func() int) FirstFrames {
	const attempts = 3
	var f FirstFrames
	for range attempts {
		for range rounds {
			f.Plain = append(f.Plain, plain())
			f.Shared = append(f.Shared, shared())
		}
		if f.Late() <= limit {
			break
		}
	}
	return f
}

func median(v []int) int {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
