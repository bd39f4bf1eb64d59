package browser

import "testing"

func TestCompareFirstFrames(t *testing.T) {
	// first is one value in the first rounds and another one later.
	first := func(n, ms, later int) func() int {
		return func() int {
			if n--; n >= 0 {
				return ms
			}
			return later
		}
	}
	for name, tt := range map[string]struct {
		plain, shared func() int
		late          int
	}{
		"always the same":       {first(0, 0, 200), first(0, 0, 600), 400},
		"mostly sooner":         {first(10, 100, 250), first(0, 0, 600), 500},
		"mostly later":          {first(9, 100, 250), first(0, 0, 600), 350},
		"pages that stand once": {first(1, 7000, 200), first(1, 9000, 550), 350},
	} {
		t.Run(name, func(t *testing.T) {
			f := CompareFirstFrames(tt.plain, tt.shared)
			if len(f.Plain) != rounds || len(f.Shared) != rounds || f.Late() != tt.late {
				t.Errorf("%d ms late after %d and %d rounds, want %d", f.Late(), len(f.Plain), len(f.Shared), tt.late)
			}
		})
	}
}
