// Package traffic counts what an engine moved and what went wrong.
package traffic
