package controllers

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"time"

	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/push"
)

// keepEvery is how often the ConfigMap with a table is written at most: trackers that run get tables at once, and each write goes
// to the API server and to nodes.
const keepEvery = 5 * time.Second

// keptTable is a table as it is kept for pods that are new while no operator runs.
type keptTable struct {
	revision string
	at       time.Time
	packed   []byte // nil: it does not fit
	// behind: there is a newer table, which is to be kept soon.
	behind bool
}

// keep returns what is to be kept of a table: the one before while that is young.
func (k keptTable) keep(t *push.Table, now time.Time) (keptTable, error) {
	k.behind = k.revision != t.Revision
	if !k.behind || k.revision != "" && now.Sub(k.at) < keepEvery {
		return k, nil
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(t.Body); err != nil {
		return k, fmt.Errorf("packing table of streams: %w", err)
	}
	if err := w.Close(); err != nil {
		return k, fmt.Errorf("packing table of streams: %w", err)
	}
	next := keptTable{revision: t.Revision, at: now}
	if b.Len() <= plan.MaxKeptTable {
		next.packed = b.Bytes()
	}
	return next, nil
}
