// Package controllers is the operator: one reconcile loop for P2PStreams that reads like a table of
// contents. It observes (cached reads, the trackers' stats, events about pods that wait), decides what that
// means, plans the children (package plan), applies the plan (package apply), and reports (package status).
//
// It owns the order of these phases, when they run again, and what is remembered between two runs. What is
// remembered only saves work: an operator that starts with nothing comes to the same result.
package controllers
