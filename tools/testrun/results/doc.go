// Package results reads the event streams that `go test -json` writes: which tests passed, failed or
// were skipped, and what the failed ones printed.
package results
