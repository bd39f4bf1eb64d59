package browser

import "testing"

func TestTotal(t *testing.T) {
	t.Parallel()
	sum := Total(
		Report{Bytes: Bytes{HTTP: 10, Seeder: 60}},
		Report{Bytes: Bytes{HTTP: 10, Viewer: 20}},
	)
	if sum != (Bytes{HTTP: 20, Seeder: 60, Viewer: 20}) || sum.All() != 100 {
		t.Errorf("Total = %+v", sum)
	}
	if got := sum.Offload(); got != 0.8 {
		t.Errorf("Offload = %v, want 0.8", got)
	}
	if got := (Bytes{}).Offload(); got != 0 {
		t.Errorf("Offload of nothing = %v, want 0", got)
	}
}

func TestRebuffers(t *testing.T) {
	t.Parallel()
	r := Report{Stalls: 2, StallDetails: []Stall{{AtMs: 1, Buffered: 0.2}, {AtMs: 2, Buffered: 8}}}
	if got := r.Rebuffers(); got != 1 {
		t.Errorf("Rebuffers = %d, want only the one without a buffer", got)
	}
}
