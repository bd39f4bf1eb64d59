package schedule

import "slices"

// stay is how many times as many viewers must be elsewhere before a seeder goes there: what it holds then is fetched again
// by the next one that comes.
const stay = 2

// Crowd is the segment from which on a seeder holds a film of which span segments fit: where most viewers find the next
// ones that they want. next are these, in order, one for each viewer; last is what was chosen before. One viewer that has
// paused, or claims to be elsewhere, changes nothing.
func Crowd(next []int64, last, span int64) int64 {
	within := func(from int64) int {
		begin, _ := slices.BinarySearch(next, from)
		end, _ := slices.BinarySearch(next, from+span)
		return end - begin
	}
	here := last
	if i, _ := slices.BinarySearch(next, last); i < len(next) && next[i] < last+span {
		here = next[i] // those who are there have moved on
	}
	best, most := here, stay*within(here)
	for i, place := range next {
		if i > 0 && place == next[i-1] {
			continue
		}
		if n := within(place); n > most {
			best, most = place, n
		}
	}
	return best
}
