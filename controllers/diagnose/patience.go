package diagnose

import "time"

// Patience remembers how long problems that may heal have lasted. Such a problem stalls a stream only after a grace period,
// because tools like Flux and Argo CD end a rollout at the first Stalled. The zero value is ready for use.
type Patience struct {
	generation int64
	since      map[kind]time.Time
}

// kind of a problem: several pods that wait for one thing are one problem.
type kind struct{ component, reason string }

// Hold returns the problems, of which those that may heal do not stall before they have lasted for the grace period. Failing
// tells of each component whether its pods are not complete: a problem that vanishes and comes back meanwhile, as that of a
// crashing container does, has lasted. Already is the reason for which the stream is stalled, or empty: that one is not
// taken back by an operator that has just started. A new generation of the spec begins a new rollout.
func (p *Patience) Hold(problems []Problem, generation int64, failing map[string]bool, already string, grace time.Duration, now time.Time) []Problem {
	if p.since == nil || p.generation != generation {
		p.generation, p.since = generation, map[kind]time.Time{}
	}
	for k := range p.since {
		if !failing[k.component] {
			delete(p.since, k)
		}
	}
	held := make([]Problem, 0, len(problems))
	for _, problem := range problems {
		if problem.Stalls && problem.Heals {
			k := kind{problem.Component, problem.Reason}
			began, known := p.since[k]
			if !known {
				began = now
				if problem.Reason == already {
					began = now.Add(-grace)
				}
				p.since[k] = began
			}
			problem.Stalls = now.Sub(began) >= grace
		}
		held = append(held, problem)
	}
	return held
}
