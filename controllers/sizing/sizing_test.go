package sizing

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// scaleOf has 10 viewers for each seeder and takes them away after a minute.
func scaleOf(least, most int32) *v1.SeederScale {
	s := &v1.SeederScale{Max: &most, ViewersPerSeeder: new(int32(10)), IdleAfter: &metav1.Duration{Duration: time.Minute}}
	if least >= 0 {
		s.Min = &least
	}
	return s
}

var film, live = new(false), new(true)

// watched is a reading that knows all viewers.
func watched(viewers int, live *bool) Audience {
	return Audience{Fresh: true, Complete: true, Viewers: viewers, Live: live}
}

// TestDecisions is each a story of one stream: steps at their seconds.
func TestDecisions(t *testing.T) {
	t.Parallel()
	type step struct {
		at     int // second
		hear   Audience
		want   int32
		reason v1.SeederScaleReason
	}
	none := Audience{}
	returning := func(viewers int) Audience { return Audience{Fresh: true, Viewers: viewers, Live: film} }
	for name, tt := range map[string]struct {
		scale   *v1.SeederScale
		running int32
		steps   []step
	}{
		"a film falls asleep, and its first viewer wakes it": {scaleOf(-1, 4), -1, []step{
			{0, none, 1, v1.ScaleMinimum},
			{5, watched(0, film), 1, v1.ScaleAudience},
			{64, watched(0, film), 1, v1.ScaleAudience},
			{65, watched(0, film), 0, v1.ScaleIdle},
			{70, watched(1, film), 1, v1.ScaleAudience},
		}},
		"a live stream keeps one": {scaleOf(-1, 4), -1, []step{
			{0, watched(0, live), 1, v1.ScaleMinimum},
			{600, watched(0, live), 1, v1.ScaleMinimum},
		}},
		"a live stream that ends sleeps": {scaleOf(-1, 4), -1, []step{
			{0, watched(0, live), 1, v1.ScaleMinimum},
			{10, watched(0, film), 1, v1.ScaleAudience},
			{70, watched(0, film), 0, v1.ScaleIdle},
		}},
		"a live stream with min 0 begins with none": {scaleOf(0, 4), -1, []step{
			{0, none, 0, v1.ScaleIdle},
			{5, watched(0, live), 0, v1.ScaleIdle},
			{10, watched(3, live), 1, v1.ScaleAudience},
		}},
		"up at once, and to the bound": {scaleOf(0, 4), 0, []step{
			{0, watched(11, film), 2, v1.ScaleAudience},
			{5, watched(20, film), 2, v1.ScaleAudience},
			{10, watched(21, film), 3, v1.ScaleAudience},
			{15, watched(1000, film), 4, v1.ScaleMaximum},
			{20, watched(1<<40, film), 4, v1.ScaleMaximum},
		}},
		"down to the most of the window, not to the last reading": {scaleOf(0, 4), 4, []step{
			{0, watched(5, film), 4, v1.ScaleMaximum},
			{30, watched(25, film), 4, v1.ScaleMaximum},
			{60, watched(5, film), 3, v1.ScaleAudience},
			{119, watched(5, film), 3, v1.ScaleAudience},
			{120, watched(5, film), 2, v1.ScaleAudience},
			{180, watched(5, film), 1, v1.ScaleAudience},
		}},
		"at most half at once while there are viewers": {scaleOf(0, 16), 16, []step{
			{0, watched(1, film), 16, v1.ScaleMaximum},
			{60, watched(1, film), 8, v1.ScaleAudience},
			{120, watched(1, film), 4, v1.ScaleAudience},
			{180, watched(0, film), 1, v1.ScaleAudience}, // there was a viewer within this minute, and there is none now
			{240, watched(0, film), 0, v1.ScaleIdle},
		}},
		"all at once when there are no viewers": {scaleOf(0, 16), 16, []step{
			{0, watched(0, film), 16, v1.ScaleMaximum},
			{60, watched(0, film), 0, v1.ScaleIdle},
		}},
		"an audience that comes back in time loses nothing": {scaleOf(0, 4), 2, []step{
			{0, watched(0, film), 2, v1.ScaleAudience},
			{59, watched(20, film), 2, v1.ScaleAudience},
			{60, watched(0, film), 2, v1.ScaleAudience},
			{119, watched(0, film), 2, v1.ScaleAudience},
			{120, watched(0, film), 0, v1.ScaleIdle},
		}},
		"no reading removes nothing": {scaleOf(-1, 4), 3, []step{
			{0, none, 3, v1.ScaleAudienceUnknown},
			{3600, none, 3, v1.ScaleAudienceUnknown},
		}},
		"a gap in the readings begins the time anew": {scaleOf(0, 4), 2, []step{
			{0, watched(0, film), 2, v1.ScaleAudience},
			{50, none, 2, v1.ScaleAudienceUnknown},
			{60, watched(0, film), 2, v1.ScaleAudience},
			{119, watched(0, film), 2, v1.ScaleAudience},
			{120, watched(0, film), 0, v1.ScaleIdle},
		}},
		"a tracker that has just started adds and does not remove": {scaleOf(0, 4), 2, []step{
			{0, returning(0), 2, v1.ScaleAudienceUnknown},
			{300, returning(1), 2, v1.ScaleAudienceUnknown},
			{305, returning(21), 3, v1.ScaleAudienceUnknown},
			{310, watched(0, film), 3, v1.ScaleAudience},
			{370, watched(0, film), 0, v1.ScaleIdle},
		}},
		"an operator that starts wakes no film": {scaleOf(-1, 4), 0, []step{
			{0, none, 0, v1.ScaleIdle},
			{5, watched(0, nil), 0, v1.ScaleIdle},
			{10, watched(0, film), 0, v1.ScaleIdle},
		}},
		"an operator that starts wakes a live stream once it knows it": {scaleOf(-1, 4), 0, []step{
			{0, none, 0, v1.ScaleIdle},
			{5, watched(0, live), 1, v1.ScaleMinimum},
			{10, none, 1, v1.ScaleMinimum},
		}},
		"an operator that starts leaves what runs": {scaleOf(1, 4), 3, []step{
			{0, none, 3, v1.ScaleAudienceUnknown},
			{5, watched(0, film), 3, v1.ScaleAudience},
			{65, watched(0, film), 1, v1.ScaleMinimum},
		}},
		"more than the new bound":          {scaleOf(0, 2), 5, []step{{0, none, 2, v1.ScaleAudienceUnknown}}},
		"less than the new bound":          {scaleOf(3, 4), 0, []step{{0, none, 3, v1.ScaleMinimum}}},
		"a tracker that counts below zero": {scaleOf(0, 2), 0, []step{{0, watched(-5, film), 0, v1.ScaleIdle}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s State
			begin := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
			for _, step := range tt.steps {
				d := s.Next(tt.scale, tt.running, step.hear, begin.Add(time.Duration(step.at)*time.Second))
				if d.Seeders != step.want || d.Reason != step.reason || d.Message == "" {
					t.Fatalf("after %d s: %+v, want %d for %s", step.at, d, step.want, step.reason)
				}
			}
		})
	}
}

// TestChangedBounds: what the owner changes in the spec counts at once, up and down, without a reading.
func TestChangedBounds(t *testing.T) {
	t.Parallel()
	var s State
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	for _, step := range []struct{ least, most, want int32 }{{0, 4, 2}, {3, 4, 3}, {0, 4, 3}, {0, 1, 1}, {-1, 4, 1}} {
		if d := s.Next(scaleOf(step.least, step.most), 2, Audience{}, now); d.Seeders != step.want {
			t.Errorf("between %d and %d: %+v, want %d", step.least, step.most, d, step.want)
		}
	}
}

// TestStatusOfDecision: a stream without a scale has none in status.
func TestStatusOfDecision(t *testing.T) {
	t.Parallel()
	if (*Decision)(nil).Status() != nil {
		t.Error("a status without a decision")
	}
	d := &Decision{Seeders: 2, Reason: v1.ScaleAudience, Message: "m"}
	if s := d.Status(); *s != (v1.SeederScaleStatus{Wanted: 2, Reason: v1.ScaleAudience, Message: "m"}) {
		t.Errorf("%+v", s)
	}
}
