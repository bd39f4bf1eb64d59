// Package telemetry owns what peers report about themselves: the report that a viewer or seeder sends, the signed session
// that it belongs to, the rules for accepting or refusing a report, the sums over all sessions by stream, role and
// site, and the arithmetic that keeps those sums correct when a tracker restarts. It is pure: time and randomness are
// arguments, it uses no clock, socket or goroutine, and its types are not safe for concurrent use.
package telemetry
