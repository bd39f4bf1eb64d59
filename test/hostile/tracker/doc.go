// Package tracker attacks a running tracker: its sockets, its messages, and what it offers over HTTP. Each attack
// must cost the tracker no more than is written beside it, cut off whom it should, be counted, and leave everybody else
// alone.
package tracker
