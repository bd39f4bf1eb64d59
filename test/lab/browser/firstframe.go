package browser

// FirstFrames is after how many milliseconds pages showed their first picture, by rounds: in each, one page without P2P
// and then one with a stream's settings.
type FirstFrames struct {
	Plain, Shared []int
	// Within says that the median delay, from the plain page of a round to the other one, is within the limit.
	Within bool
}

// rounds is the number of rounds whose median counts. A plain page shows its first picture either at once or some 100 ms
// later, about as often: in few rounds chance decides which of the two it is.
const rounds = 19

// CompareFirstFrames opens pages by turns, and judges the median of the delays in 19 rounds by a limit in milliseconds.
// plain and shared open one page each, and return its milliseconds.
//
// The verdict is exactly that of 19 rounds, although there mostly are fewer: the median of 19 delays is within the limit
// if ten of them are, and beyond it if ten are not. Once ten rounds agree, the others cannot change it.
func CompareFirstFrames(limitMs int, plain, shared func() int) FirstFrames {
	const majority = rounds/2 + 1
	var f FirstFrames
	for within, beyond := 0, 0; within < majority && beyond < majority; f.Within = within >= majority {
		p := plain()
		s := shared()
		f.Plain, f.Shared = append(f.Plain, p), append(f.Shared, s)
		if s-p <= limitMs {
			within++
		} else {
			beyond++
		}
	}
	return f
}
