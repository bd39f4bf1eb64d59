// Package sizing decides how many seeders an audience gets (spec.seeders.scale).
//
// Seeders are added as soon as a reading of the tracker asks for them. They are removed only if the tracker has said without
// a gap, for as long as idleAfter, that fewer are enough: then down to the most that was needed within that time, and at most half
// of them at once as long as there are
// viewers, so that viewers who lose their seeder find room at the others. Without a reading, or
// with one of a tracker that does not know its viewers yet, none is removed.
//
// The package is pure: time is an argument, and what is remembered between decisions is a State, whose size does not grow.
package sizing
