package controllers

import (
	"context"

	"k8s.io/apimachinery/pkg/types"

	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// AskDue asks the trackers that are due, for tests that run the loop by hand.
func (r *Reconciler) AskDue(ctx context.Context) int { return r.pollers.AskDue(ctx) }

// StreamField is the index that children are listed by.
const StreamField = streamField

// TableToken is what an operator presents to the trackers of a network.
func TableToken(k Key, network types.UID) string { return k.tableToken(network) }

// Unpack reads a table that is kept.
func Unpack(packed []byte) (table.Table, error) { return unpack(packed) }

// SeederSecret names the Secret with the token of an attached stream's seeders.
func SeederSecret(k Key, stream string, uid types.UID) string {
	return seederSecret(stream, k.seederToken(uid))
}
