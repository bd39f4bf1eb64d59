package status

import (
	"time"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/sizing"
	"github.com/p2pstream/p2pstream/controllers/totals"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// Observed is what a status is made from, beside the status before.
type Observed struct {
	// Generation of the stream that was looked at.
	Generation int64
	// Controller is the name of the installation that makes this status; empty when it claims no streams.
	Controller string
	// Request is the value of the annotation that asks for a run.
	Request string
	// Suspended: the spec asks for nothing to be changed.
	Suspended bool
	// Settled: the children are what the spec asks for, as far as the API server is concerned.
	Settled bool

	// Upgrade that is under way or waits, and what it waits for.
	Upgrade     *v1.UpgradeStatus
	UpgradeWait string

	// Workloads of the stream.
	Tracker, STUN, Seeders Workload
	// Edges are the seeders of all sites together.
	Edges Workload

	// STUNServers is how many STUN servers the spec names, beside those of the workload.
	STUNServers int

	// Sized is how many seeders the audience gets; nil without spec.seeders.scale.
	Sized *sizing.Decision

	// Network that the stream names; nil: it has a tracker and STUN servers of its own.
	Network *Attached

	// SiteMap is spec.sites.mapRef; nil: there is none.
	SiteMap *v1.SiteMapReference

	// Problems, the most urgent first.
	Problems []diagnose.Problem
	// Warnings of the plan.
	Warnings []plan.Warning
	// Endpoints of the plan; nil when there is no plan, and then those of before stay.
	Endpoints *v1.EndpointsStatus
	// SeederSelector of the plan; may be empty when there is no plan.
	SeederSelector string

	// Reading is the last answer of the tracker; nil when none is known.
	Reading *Reading
	// ReadingProblem says why there was no answer the last time; empty when there was one.
	ReadingProblem string
	// ReadingPending: trackers are being asked, and none of them has answered this operator yet. It has just started, or
	// they have.
	ReadingPending bool
	// Audience is the Audience of the last Result; nil when this operator has made none.
	Audience *Audience
	// Totals with all that was read added.
	Totals totals.State
}

// Reading is an answer of the tracker and when it came.
type Reading struct {
	At    time.Time
	Stats stats.Stats
}

// Workload is one Deployment or StatefulSet.
type Workload struct {
	// Wanted is how many pods the spec asks for; 0 when it asks for none.
	Wanted int32
	// Exists: it has been made.
	Exists bool
	// Pods that there are, and how many of those are ready, and made from the newest template.
	Pods, Ready, Updated int32
	// Current: its controller has seen the newest template.
	Current bool
}

// Complete tells whether all pods are there, new and ready, and no others.
func (w Workload) Complete() bool {
	if w.Wanted == 0 {
		return !w.Exists || w.Pods == 0
	}
	return w.Exists && w.Current && w.Updated >= w.Wanted && w.Ready >= w.Wanted && w.Pods == w.Wanted
}
