// Package program runs the programs of p2pstream as processes, as users do: the real binary on free ports, ready before
// a test goes on, ended with SIGTERM or killed as by a crash, and read from outside: log, output, metrics, memory, CPU
// and descriptors.
//
// Start and the methods that take a testing.TB fail the test; Launch and the others return errors, for programs without
// a test.
package program
