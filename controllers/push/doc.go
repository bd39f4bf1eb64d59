// Package push keeps the tables of streams of trackers up to date, outside of the reconcile loop: each tracker pod has a pusher
// of its own, which sends a table until the pod has it, and then looks from time to time whether it still has it. A tracker that
// does not answer holds up no other one, and no run of the loop.
package push
