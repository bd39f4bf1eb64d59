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
// A tracker that dies takes its counts with it. What makes up for that are the peers: they report to the
// next tracker what they counted above the base that a tracker acknowledged (see runtime/telemetry), and
// reading the stats with accumulate=1 is what acknowledges. Whoever reads so says that the counts are in
// safe hands, so the operator asks for it only when the reading before is in status, and writes the new
// one at once; every other poll is a plain one, and its totals are not used. What is between a reading and
// its write is at risk only if tracker and operator both die within those milliseconds, and what sessions
// were not told of, for the time until their next report, only if the tracker does without draining.
//
// Trackers are planned with totalsKept, so that one that is replaced before anybody read it has acknowledged
// nothing either.
//
// A tracker that drains is not read any more: its sessions were not acknowledged what it has counted since
// the last reading, and take that to the tracker that they move to. Adding it here too would count it
// twice. What is lost is what sessions said that ended in those last seconds.
package totals
