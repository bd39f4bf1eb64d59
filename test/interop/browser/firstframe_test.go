package browser

import "testing"

func TestCompareFirstFrames(t *testing.T) {
	always := func(ms int) func() int { return func() int { return ms } }
	// first is one value in the first rounds and another one later.
	first := func(rounds, ms, later int) func() int {
		return func() int {
			if rounds--; rounds >= 0 {
				return ms
			}
			return later
		}
	}
	for name, tt := range map[string]struct {
		plain, shared func() int
		rounds, late  int
	}{
		"in time":              {always(200), always(600), 3, 400},
		"late":                 {always(200), always(601), 9, 401},
		"late by chance":       {first(3, 100, 250), always(600), 6, 350},
		"late for longer":      {first(5, 100, 250), always(600), 9, 500},
		"one page that stands": {always(200), first(1, 9000, 550), 3, 350},
	} {
		t.Run(name, func(t *testing.T) {
			f := CompareFirstFrames(3, 400, tt.plain, tt.shared)
			if len(f.Plain) != tt.rounds || len(f.Shared) != tt.rounds || f.Late() != tt.late {
				t.Errorf("%d ms late after %d and %d rounds, want %d after %d", f.Late(), len(f.Plain), len(f.Shared), tt.late, tt.rounds)
			}
		})
	}
}
