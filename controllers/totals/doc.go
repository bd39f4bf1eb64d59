// Package totals keeps what the viewers of a stream have received in all, over restarts of its trackers
// and of the operator. It is pure.
//
// A tracker counts from zero with each run. The totals are the sum over all runs, so the operator must
// know how much of each run it has added already: telemetry.Accumulator does that sum, and here its state
// is a part of status.offload. Totals and state are one field of one object, so one write changes both,
// and whatever moment the operator dies at, they agree:
//
//   - Before the write, status holds the older totals and the older counts of the runs. The next operator
//     reads the same runs again, whose counters only grow, and adds what came on top of the older counts.
//   - After it, status holds both of the reading, and the next one adds what came on top of that.
//   - A write can also have happened without the operator knowing. It is the same as after it: adding the
//     same reading twice adds nothing, for what is added is the difference to the run's own last count.
//   - Two operators at a time, one of them not knowing that it lost its lease, cannot both add: writes
//     state the resourceVersion that they were made from, and one of them is refused and reads again.
//
// Nothing is kept outside of status that a restart would have to bring back.
//
// A tracker that ends takes its counts with it. What makes up for that are the peers: trackers of a stream
// acknowledge to them only what was read with accumulate=1 (totalsKept in the tracker's configuration), and
// peers report to the next tracker what they counted above that. Whoever reads so says that the counts are in
// safe hands, so the operator asks for it only when the reading before is in status, and writes the new one
// at once; every other poll is a plain one, and its totals are not used.
//
// For the same reason a tracker that ends is not read any more, though it still could be: its sessions were
// not acknowledged what it would tell, and take it to the tracker that they move to. Adding it here too would
// count it twice.
//
// What this cannot make exact: a reading that was not written is lost if its tracker ends before the next
// operator reads it again. What a viewer counted since the last reading is lost if the viewer leaves and its
// tracker ends before the next. And what a session has not heard to be read, because its tracker ended less
// than a report's interval after the reading, it reports once more. Each is bounded by the bytes of seconds.
package totals
