// Package status turns what was observed of a stream into its status. It is pure: the status before and
// the time are arguments.
//
// It owns the meaning of each condition, the order in which reasons win, what counts as an edge that is
// worth an event, and when a status is worth a write. What every status must satisfy is written down as
// code in package invariants.
//
// Tools read Reconciling and Stalled by the rules of kstatus, which look at observedGeneration first, then
// at the first of Reconciling and Stalled that is True, then at Ready:
//
//	Stalled   Reconciling   Ready            kstatus
//	True      False         True or False    Failed      a user has to fix something
//	False     True          True or False    InProgress  pods are being created or replaced
//	False     False         True             Current
//	False     False         False            InProgress  serves no viewer, and recovers by itself
//
// Ready is about viewers only: it is True while a viewer who joined now would be served. So it can be True
// together with Stalled, when a running stream is given a spec that cannot be applied: the running pods are
// kept, viewers notice nothing, and tools that wait for the new spec see Failed.
package status
