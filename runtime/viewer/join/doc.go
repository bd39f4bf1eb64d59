// Package join owns how a viewer comes to take part in a stream: it asks the
// tracker for settings, makes the engine with its connections, and reports.
package join
