package superseed

import (
	"testing"
	"time"
)

func TestDbg(t *testing.T) {
	w := newWorld(t, 2, 1)
	for range 2 {
		w.join()
		w.run(200*time.Millisecond, nil)
	}
	w.run(10*target, nil)
	for _, v := range w.viewers {
		t.Log(v.id, v.phase, "usual", v.member[0].usual, v.member[0].missed, v.have)
	}
	t.Logf("%+v %v", w.seeders[0].Stats(w.clock()), w.copies)
}
