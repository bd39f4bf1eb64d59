package mailbox

import "testing"

func TestMailboxKeepsOrderAndDropsAfterClose(t *testing.T) {
	m := New()
	var got []int
	for i := range 3 {
		m.Post(func() { got = append(got, i) })
	}
	<-m.Signal()
	for _, work := range m.Take() {
		work()
	}
	if len(got) != 3 || got[0] != 0 || got[2] != 2 {
		t.Errorf("ran %v", got)
	}
	m.Close()
	m.Post(func() { t.Error("ran after close") })
	for _, work := range m.Take() {
		work()
	}
}
