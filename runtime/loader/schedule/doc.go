// Package schedule decides what a peer does next about each segment: ask a
// peer, ask the origin, give up a transfer that would come too late, or wait.
//
// It is pure: the caller describes one moment (playhead, segments, peers,
// limits, time, randomness) and gets a list of actions. The two roles differ:
// a viewer wants to play without a stall at the least cost to the origin
// (Viewer), a seeder wants to hold everything before viewers ask (Seeder).
package schedule
