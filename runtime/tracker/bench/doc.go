// Package bench owns the tracker's end-to-end measurements: memory per socket and time to reply, with the tracker in
// a process of its own. They are Go benchmarks in the test files; each says how it measures.
package bench
