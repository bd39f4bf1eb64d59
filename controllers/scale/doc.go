// Package scale holds the benchmark of the loop, and the test that a run reads as much of the cache among a thousand
// streams as among ten. They use the operator's own cache, filled from memory: no API server is needed.
package scale
