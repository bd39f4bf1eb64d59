// Package lab is what all suites below test share: one way to wait for a condition, free addresses, the root of the
// module, HTTP requests that leave no connection behind, scraped metrics, and a TestMain that looks for goroutines left
// behind. It needs only the standard library and goleak.
//
// What needs more stands in packages of its own, so that a suite links only what it uses:
//
//   - test/lab/program runs p2pstream's programs as processes: the binary, readiness, logs, metrics, memory and CPU.
//   - test/lab/stream is all programs of one stream as processes.
//   - test/lab/bystander is viewers and peers that must not notice an attack, and what an attack may cost a program.
//   - test/lab/peer makes what peers say to trackers.
//   - test/lab/inprocess runs programs inside of the test's process, and all programs of one stream so.
//   - test/lab/netns makes offices, which are network namespaces.
//   - test/lab/browser drives a real Chromium or Firefox.
//
// Everything that waits exists in two forms: with a testing.TB that it fails, and with a context and an error for
// programs and for suites that have no testing.TB.
package lab
