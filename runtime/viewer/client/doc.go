// Package client takes part in one stream: it gets the stream's settings from the tracker, creates an engine with its
// connections, and reports what it counted. Synthetic viewers and the proxy use it.
package client
