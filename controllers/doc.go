// Package controllers is the operator: one reconcile loop for P2PStreams. Reconcile lists its phases, each in a file of
// its own:
//
//	fetch    reconciler.go  the stream, and what is remembered of it
//	observe  observe.go     children, pods and nodes from the cache; last answers of trackers; events about pods that wait
//	decide   decide.go      pure: what that means for the plan
//	plan     planning.go    the children that the spec asks for (package plan)
//	upgrade  upgrade.go     holds the pods of a former version of the operator until it is the stream's turn (turns.go)
//	apply    applying.go    writes them (package apply)
//	report   report.go      writes status, if it is worth a write (package status), and says when to run again
//
// A value of type run carries what each phase found to the phases after it. What outlives a run is in memory; it only
// saves work, and an operator that starts with nothing comes to the same result.
//
// A run never waits for a stream's pods: trackers are asked by pollers (package poll), whose answers cause a run. It
// reads what belongs to its stream and nothing else, by indexes of the cache.
package controllers
