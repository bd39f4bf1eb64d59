// Package inprocess runs programs inside of the test's process, where the race detector sees them, their state can be
// read, and goroutines that they leave behind are found.
package inprocess
