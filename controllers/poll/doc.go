// Package poll reads the stats of trackers over HTTP, outside of the operator's reconcile workers: a tracker that
// hangs costs a goroutine and delays no stream.
//
// Pollers asks each tracker that it was told to follow, a few seconds after the last answer, and ever less often while
// there is none. It keeps one answer for each tracker and wakes the stream, whose next run takes the answer and says
// what to follow from then on. A tracker is not asked again before its answer was taken, so a slow loop slows polling
// down and loses no answer.
//
// Package totals requires that at most one reading of a stream is under way at a time, and that it names the readings
// that status holds at that moment. So the loop gives one Order for a stream; it is carried out once, and the answer to
// an order that was replaced in the meantime is marked as one without totals to keep.
//
// Answers are untrusted input: they are bounded in bytes and time, redirects are not followed, and the proxy settings
// of the operator's environment are not used for addresses inside the cluster.
package poll
