// Package telemetry owns what peers say about themselves: the report a viewer or seeder sends, the signed session it
// is sent under, the rules by which a report is believed or refused, the sums over all sessions by stream, role and
// site, and the arithmetic that keeps those sums steady when a tracker restarts. It is pure: time and randomness are
// arguments, nothing here touches a clock, a socket or a goroutine, and no type is safe for concurrent use by itself.
package telemetry
