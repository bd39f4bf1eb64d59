package sizing

import (
	"fmt"
	"time"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Audience is what the tracker says of those who watch.
type Audience struct {
	// Fresh is false when there is no reading that speaks of the present; the other fields then mean nothing.
	Fresh bool
	// Complete: Viewers are all there are. A tracker that has just started counts only those that have come back.
	Complete bool
	Viewers  int
	// Live is nil while the tracker has not read the stream.
	Live *bool
}

// State is what is remembered between two decisions about one stream. The zero State is that of an operator that has just
// started.
type State struct {
	known   bool
	seeders int32
	// lowerSince is from when on fewer were enough, and most how many of them were needed at most; zero while all are needed.
	lowerSince time.Time
	most       int32
	// live is what the stream was when that was last known.
	live *bool
}

// Decision is how many seeders are to run.
type Decision struct {
	Seeders int32
	// Floor is how many there are without an audience.
	Floor  int32
	Reason v1.SeederScaleReason
	// Message says why. It changes with the decision and not with each viewer: each change is a write of status.
	Message string
}

// Status is the decision as status shows it.
func (d *Decision) Status() *v1.SeederScaleStatus {
	if d == nil {
		return nil
	}
	return &v1.SeederScaleStatus{Wanted: d.Seeders, Reason: d.Reason, Message: d.Message}
}

// Next decides. The scale has its defaults. Running is how many seeders the operator before this one ran, −1 if none has run
// this stream: a State that knows nothing begins with it.
func (s *State) Next(scale *v1.SeederScale, running int32, a Audience, now time.Time) Decision {
	if a.Fresh && a.Live != nil {
		s.live = a.Live
	}
	floor, most := s.floor(scale, running), *scale.Max
	if !s.known {
		s.known, s.seeders = true, running
		if running < 0 {
			s.seeders = floor
		}
	}
	// The bounds are the owner's, and count at once.
	s.seeders = min(max(s.seeders, floor), most)
	complete := a.Fresh && a.Complete
	if needed := min(max(need(scale, a), floor), most); a.Fresh && needed >= s.seeders {
		s.seeders, s.lowerSince = needed, time.Time{}
	} else if !complete {
		s.lowerSince = time.Time{} // who watched meanwhile is not known
	} else {
		s.lower(needed, a.Viewers > 0, scale.IdleAfter.Duration, now)
	}
	return s.decision(scale, floor, complete)
}

// lower removes seeders once fewer have been enough for long enough.
func (s *State) lower(needed int32, watched bool, idleAfter time.Duration, now time.Time) {
	if s.lowerSince.IsZero() {
		s.lowerSince, s.most = now, 0
	}
	s.most = max(s.most, needed)
	if now.Sub(s.lowerSince) < idleAfter {
		return
	}
	if watched {
		s.seeders = max(s.most, (s.seeders+1)/2)
	} else {
		s.seeders = s.most
	}
	s.lowerSince = time.Time{}
	if needed < s.seeders {
		s.lowerSince, s.most = now, needed
	}
}

// floor is how many run without an audience. While it is not known what the stream is, and the spec says nothing, one that sleeps is
// not woken: after a restart of the operator, all films of a cluster would be.
func (s *State) floor(scale *v1.SeederScale, running int32) int32 {
	switch {
	case scale.Min != nil:
		return *scale.Min
	case s.live != nil && !*s.live:
		return 0
	case s.live == nil && s.known:
		return min(s.seeders, 1)
	case s.live == nil && running >= 0:
		return min(running, 1)
	}
	return 1
}

// need is how many seeders the viewers need, without regard to bounds.
func need(scale *v1.SeederScale, a Audience) int32 {
	per := int64(*scale.ViewersPerSeeder)
	n := (max(int64(a.Viewers), 0) + per - 1) / per
	return int32(min(n, 64))
}

func (s *State) decision(scale *v1.SeederScale, floor int32, complete bool) Decision {
	d := Decision{Seeders: s.seeders, Floor: floor}
	switch {
	case !complete && s.seeders > floor:
		d.Reason, d.Message = v1.ScaleAudienceUnknown, "The tracker does not say how many watch, so none is removed"
	case s.seeders == 0:
		d.Reason, d.Message = v1.ScaleIdle, "There are no viewers; the first viewer starts a seeder"
	case s.seeders == floor:
		d.Reason, d.Message = v1.ScaleMinimum, "As many as run without an audience, which needs no more"
	case s.seeders == *scale.Max:
		d.Reason, d.Message = v1.ScaleMaximum, "As many as spec.seeders.scale.max allows"
	default:
		d.Reason = v1.ScaleAudience
		d.Message = fmt.Sprintf("One for each %d viewers, as many as there were within %s", *scale.ViewersPerSeeder, scale.IdleAfter.Duration)
	}
	return d
}
