package telemetry

import "time"

// windowBuckets is how finely a window slides: old bytes leave it in steps of a twelfth.
const windowBuckets = 12

// summable are counts that a window can sum.
type summable[T any] interface {
	Add(T) T
	scale(float64) T
}

// window sums counts over a sliding span, in buckets of absolute time.
type window[T summable[T]] struct {
	width   time.Duration // of one bucket
	buckets [windowBuckets]struct {
		number int64
		sum    T
	}
}

// add counts bytes that moved during the elapsed time before now; of a report that covers more than the window only
// the window's share is counted, so that a peer which comes back does not look like a burst.
func (w *window[T]) add(c T, elapsed time.Duration, now time.Time) {
	if span := w.width * windowBuckets; elapsed > span {
		c = c.scale(float64(span) / float64(elapsed))
	}
	number := now.UnixNano() / int64(w.width)
	b := &w.buckets[((number%windowBuckets)+windowBuckets)%windowBuckets]
	if b.number != number {
		var none T
		b.number, b.sum = number, none
	}
	b.sum = b.sum.Add(c)
}

func (w *window[T]) sum(now time.Time) T {
	var total T
	number := now.UnixNano() / int64(w.width)
	for _, b := range w.buckets {
		if b.number > number-windowBuckets && b.number <= number {
			total = total.Add(b.sum)
		}
	}
	return total
}

// spanAt is the time that the sum covers at a moment: the current bucket is not over yet.
func spanAt(width time.Duration, now time.Time) time.Duration {
	return width*(windowBuckets-1) + time.Duration(now.UnixNano()%int64(width))
}

func (c Counters) scale(f float64) Counters {
	part := func(v int64) int64 { return int64(float64(v) * f) }
	return Counters{HTTP: part(c.HTTP), Seeder: part(c.Seeder), Viewer: part(c.Viewer), Discarded: part(c.Discarded),
		Uploaded: part(c.Uploaded)}
}
