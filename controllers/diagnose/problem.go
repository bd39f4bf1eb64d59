package diagnose

import (
	"cmp"
	"slices"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Problem is one thing that keeps a stream from what its spec asks for.
type Problem struct {
	// Component that it holds up, as plan names components; empty when it is the stream as a whole.
	Component string
	// Reason of api/v1.
	Reason string
	// Message for people: what is wrong with what, and the next step.
	Message string
	// Stalls says that waiting does not solve it: a user has to fix something first.
	Stalls bool
	// Heals says that it often goes away within minutes nevertheless, while other objects of the same rollout are still
	// being created: a Secret, a registry's credentials, a quota. Patience holds such a problem back.
	Heals bool
}

// urgency orders reasons: the cause before what follows from it.
var urgency = []string{
	v1.ReasonInvalidSpec, v1.ReasonNetworkNotFound, v1.ReasonNotAdmitted, v1.ReasonNetworkFull, v1.ReasonSwarmTaken, v1.ReasonNodePortTaken, v1.ReasonApplyFailed, v1.ReasonContested, v1.ReasonPodsForbidden,
	v1.ReasonCertManagerMissing, v1.ReasonCertificateNotReady, v1.ReasonSecretNotFound, v1.ReasonImagePullFailed, v1.ReasonCrashLooping, v1.ReasonUnschedulable,
}

// Sort puts what stalls first, then by how likely one is the cause of the others. It keeps one problem of
// each component and reason: ten pods that cannot pull one image are one problem.
func Sort(problems []Problem) []Problem {
	rank := func(p Problem) int {
		if i := slices.Index(urgency, p.Reason); i >= 0 {
			return i
		}
		return len(urgency)
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		switch {
		case a.Stalls && !b.Stalls:
			return -1
		case b.Stalls && !a.Stalls:
			return 1
		}
		return cmp.Compare(rank(a), rank(b))
	})
	seen := map[kind]bool{}
	return slices.DeleteFunc(problems, func(p Problem) bool {
		k := kind{p.Component, p.Reason}
		defer func() { seen[k] = true }()
		return seen[k]
	})
}
