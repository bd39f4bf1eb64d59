// Package limits compares docs/limits.md with the code: a default that changed, a field that was renamed or a metric that
// does not exist fails its test.
package limits
