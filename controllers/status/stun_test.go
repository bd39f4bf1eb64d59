package status_test

import (
	"strings"
	"testing"
	"time"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// TestSTUNSaysWhatWasAsked: readiness of pods is one thing, and an answer at the address that viewers get is another.
func TestSTUNSaysWhatWasAsked(t *testing.T) {
	t.Parallel()
	before, _ := next(t, pending(), healthy(), now.Add(-time.Hour))
	for name, tt := range map[string]struct {
		servers []stats.STUN
		before  v1.P2PStreamStatus
		reason  string
		says    []string
	}{
		"not asked": {nil, before.Status, v1.ReasonAvailable, []string{"1 of 1 STUN pods are ready"}},
		"answers": {[]stats.STUN{{Server: "stun:192.0.2.1:31000", Ready: true}}, before.Status, v1.ReasonAvailable,
			[]string{"1 of 1 STUN pods", "from its pod", "an answer from stun:192.0.2.1:31000", "is not asked"}},
		"some answer": {[]stats.STUN{{Server: "stun:b:1"}, {Server: "stun:a:1", Ready: true}}, before.Status, v1.ReasonAvailable,
			[]string{"an answer from stun:a:1", "none from stun:b:1"}},
		"none answers": {[]stats.STUN{{Server: "stun:b:1"}, {Server: "stun:a:1"}}, before.Status, v1.ReasonSTUNSilent,
			[]string{"stun:a:1, stun:b:1 did not answer the tracker", "spec.stun.exposure.host"}},
		"none answers yet": {[]stats.STUN{{Server: "stun:a:1"}}, pending(), v1.ReasonAvailable, []string{"1 of 1 STUN pods are ready"}},
		"a hostile name":   {[]stats.STUN{{Server: "stun:\n" + strings.Repeat("x", 5000)}}, before.Status, v1.ReasonSTUNSilent, []string{"did not answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := next(t, tt.before, healthy(func(o *status.Observed) { o.Reading.Stats.STUN = tt.servers }), now)
			c := condition(t, r.Status, v1.ConditionSTUNReady)
			if c.Status != "True" || c.Reason != tt.reason {
				t.Errorf("%s/%s: %s", c.Status, c.Reason, c.Message)
			}
			for _, text := range tt.says {
				if !strings.Contains(c.Message, text) {
					t.Errorf("does not say %q: %s", text, c.Message)
				}
			}
			if strings.Contains(c.Message, "\n") || len(c.Message) > 2048 {
				t.Errorf("%d characters: %q", len(c.Message), c.Message)
			}
		})
	}
}
