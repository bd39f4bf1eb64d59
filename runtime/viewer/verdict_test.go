package viewer

import "testing"

func TestVerdict(t *testing.T) {
	right := Result{PlayedMs: 9000, Verified: 5}
	for name, tt := range map[string]struct {
		report Report
		want   string
	}{
		"right": {Report{Viewers: []Result{right, {StartupMs: -1}}}, ""},
		"a segment differs": {
			Report{Viewers: []Result{right, {PlayedMs: 9000, Verified: 5, DigestErrors: 2}}, Total: Total{DigestErrors: 2}},
			"verifying segments: 2 of 10 differ from the origin's",
		},
		"nothing played":   {Report{Viewers: []Result{{StartupMs: -1}}}, "verifying segments: no viewer played anything"},
		"no viewer":        {Report{}, "verifying segments: no viewer played anything"},
		"nothing compared": {Report{Viewers: []Result{{PlayedMs: 9000}}}, "verifying segments: none could be compared with the origin's"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := tt.report.Verdict(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
