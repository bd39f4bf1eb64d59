// Package limits holds docs/limits.md to the code: a default that changed, a field that was renamed or a metric that is
// not there fails its test.
package limits
