// Package tracker attacks a running tracker: its sockets, its messages and its HTTP API. Each attack must cost the tracker
// no more than is written beside it, cut off the attacker, be counted, and leave all other clients alone.
package tracker
