package transit

import "testing"

func TestUnfinishedBytesAreBounded(t *testing.T) {
	whole := NewBudget(0, 0)
	first, second := whole.Share(), whole.Share()
	if !first.Reserve(MinBudget/2) || !whole.Spare() {
		t.Error("half of the budget is refused, or leaves nothing to spare")
	}
	if !second.Reserve(MinBudget/4) || whole.Spare() || second.Reserve(MinBudget/2) {
		t.Error("more than half leaves something to spare, or more than all is granted")
	}
	second.Release(MinBudget / 4)
	first.Close()
	first.Release(MinBudget) // of a share that was closed: it was released already
	if used, limit, refused := whole.Stats(); used != 0 || limit != MinBudget || refused != 1 {
		t.Errorf("%d of %d used, %d refused", used, limit, refused)
	}
	if first.Reserve(1) {
		t.Error("a closed share reserves room")
	}
	if got := NewBudget(1<<30, 1<<20).limit; got != 1<<29 {
		t.Errorf("beside a store of 1 GiB: %d", got)
	}
}
