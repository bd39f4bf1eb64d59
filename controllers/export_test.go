package controllers

import "context"

// AskDue asks the trackers that are due, for tests that run the loop by hand.
func (r *Reconciler) AskDue(ctx context.Context) int { return r.pollers.AskDue(ctx) }

// StreamField is the index that children are listed by.
const StreamField = streamField
