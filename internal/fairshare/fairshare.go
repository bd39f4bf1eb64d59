// Package fairshare decides who gives way when several users compete for what one program has: the one that has most for its
// weight. While there is enough for all, no user is limited. It is pure.
package fairshare

// Use is what one user has.
type Use struct {
	Used   int64
	Weight int64 // below 1 counts as 1
}

func (u Use) weight() int64 { return max(1, u.Weight) }

// More reports whether a has more for its weight than b.
func More(a, b Use) bool { return a.Used*b.weight() > b.Used*a.weight() }

// Precedes reports whether a user that wants n more may take them from another one: it still has no more for its weight than
// the other one then.
func Precedes(wants, has Use, n int64) bool {
	wants.Used += n
	has.Used -= n
	return has.Used >= 0 && !More(wants, has)
}

// Most returns the index of the user that has most for its weight, −1 if there is none that has anything.
func Most(all []Use) int {
	most, has := -1, Use{}
	for i, u := range all {
		if u.Used > 0 && (most < 0 || More(u, has)) {
			most, has = i, u
		}
	}
	return most
}

// Part returns a user's part of a whole that is divided by weight; total is the weight of all.
func Part(whole float64, weight, total int64) float64 {
	return whole * float64(max(1, weight)) / float64(max(1, weight, total))
}
