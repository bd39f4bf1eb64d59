// Package totals keeps what the viewers of a stream have received in all, over restarts of its trackers
// and of the operator. It is pure.
//
// A tracker counts from zero in each run. The totals are the sum over all runs, so the operator must know how
// much of each run it has added already: telemetry.Accumulator computes that sum, and its state is a part of
// status.offload. Totals and state are one field of one object, so one write changes both, and they agree
// whenever the operator ends:
//
//   - Before the write, status holds the older totals and the older counts of the runs. The next operator
//     reads the same runs again, whose counters only grow, and adds what came on top of the older counts.
//   - After it, status holds both of the reading, and the next one adds what came on top of that.
//   - A write can also have happened without the operator knowing. It is the same as after it: adding the
//     same reading twice adds nothing, for what is added is the difference to the run's own last count.
//   - Two operators at a time, one of which does not know that it lost its lease, cannot both add: writes
//     state the resourceVersion that they were made from, so one of them is refused, and reads again.
//
// Nothing is kept outside of status that a restart would have to bring back.
//
// A tracker that ends takes its counts with it. What makes up for that are the peers: trackers of a stream
// (totalsKept in their configuration) acknowledge to them only what status has, which each reading with
// accumulate=1 tells them by the numbers of the readings before; for the rest they give receipts, which peers
// take to the next tracker. That one is told the same numbers, and counts what is above them; see
// telemetry.Receipt. So the operator asks for a reading only when the one before is in status, and writes the
// new one at once; every other poll is a plain one, and its totals are not used. Polls run outside of the loop:
// package poll carries out one order for a reading at a time, and an answer counts only while its order stands, so
// that no reading is added that a later one of another tracker was not told of.
//
// A tracker that ends, or has a successor, is not read any more, though it still could be: its sessions take
// to the successor what was not read of it, and adding it here too would count it twice.
//
// What this cannot make exact: what a viewer counted since the last reading is lost if the viewer leaves and
// its tracker ends before the next. And a report whose answer got lost, because its tracker ended meanwhile, is
// told again though it may have been read. Each is bounded by the bytes of seconds.
package totals
