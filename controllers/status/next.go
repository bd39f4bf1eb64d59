package status

import (
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

const (
	// figuresEvery is how often figures are written at most: status is for people and conditions, fine series
	// are in Prometheus.
	figuresEvery = 15 * time.Second
	// idleEvery is how often a status is written in which nothing but the time of its figures has changed.
	idleEvery = 5 * time.Minute
)

// Result is what is to be done about a status.
type Result struct {
	Status v1.P2PStreamStatus
	// Write: it differs from the one before by enough to be written now.
	Write bool
	// Events to be sent once it is written.
	Events []Event
	// Audience is to be remembered, written or not.
	Audience *Audience
	// Known: the figures are those of the last reading. They are not while a tracker that has just started waits for viewers.
	Known bool
}

// Next makes the status that follows from what was observed. LastWrite is when this operator wrote the one
// before; zero if it never did. Must says that it holds totals that may not be lost.
func Next(before v1.P2PStreamStatus, o Observed, lastWrite time.Time, must bool, now time.Time) Result {
	m := &moment{Observed: o, before: before, now: now}
	out := v1.P2PStreamStatus{ObservedGeneration: o.Generation, LastHandledReconcileAt: o.Request, Conditions: m.conditions(), Endpoints: o.Endpoints, Seeders: m.seeders(), Upgrade: o.Upgrade}
	if o.Network != nil {
		out.Network = o.Network.Place
	}
	if o.Controller != "" {
		out.Claim = &v1.ClaimStatus{Controller: o.Controller, RenewedAt: metav1.NewTime(now.Truncate(time.Second))}
	}
	if out.Endpoints == nil && (o.Network == nil || o.Network.Refused == nil) {
		out.Endpoints = before.Endpoints
	}
	m.figures(&out)
	m.sites(&out)
	r := Result{Status: out, Audience: m.audience(), Write: worthWriting(before, out, now.Sub(lastWrite), must)}
	reading := m.fresh()
	r.Known = reading != nil && m.known(reading.Stats)
	if r.Write {
		r.Events = edges(before, out)
	}
	return r
}

func worthWriting(before, after v1.P2PStreamStatus, since time.Duration, must bool) bool {
	switch {
	case equality.Semantic.DeepEqual(before, after):
		return false
	case must, edge(before, after), since >= idleEvery:
		return true
	case since < figuresEvery:
		return false
	}
	return !equality.Semantic.DeepEqual(timeless(before), timeless(after))
}

// edge: something that people and tools wait for.
func edge(before, after v1.P2PStreamStatus) bool {
	if before.ObservedGeneration != after.ObservedGeneration || before.LastHandledReconcileAt != after.LastHandledReconcileAt || len(before.Conditions) != len(after.Conditions) ||
		!equality.Semantic.DeepEqual(before.Endpoints, after.Endpoints) || !equality.Semantic.DeepEqual(before.Upgrade, after.Upgrade) ||
		!equality.Semantic.DeepEqual(before.Seeders, after.Seeders) || !equality.Semantic.DeepEqual(before.Network, after.Network) {
		return true
	}
	for _, c := range after.Conditions {
		old := find(before.Conditions, c.Type)
		if old == nil || old.Status != c.Status || old.Reason != c.Reason || old.ObservedGeneration != c.ObservedGeneration {
			return true
		}
	}
	return false
}

// timeless is a status without the times of its figures and of its claim.
func timeless(s v1.P2PStreamStatus) v1.P2PStreamStatus {
	s.Claim = nil
	if s.Offload != nil {
		o := *s.Offload
		o.ObservedAt = nil
		s.Offload = &o
	}
	return s
}
