package controllers

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"io"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/push"
)

func TestWhatIsKeptOfATable(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	keep := func(k keptTable, revision string, body []byte, after time.Duration) keptTable {
		next, err := k.keep(&push.Table{Revision: revision, Body: body}, at.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	holds := func(k keptTable, want string) {
		t.Helper()
		r, err := gzip.NewReader(bytes.NewReader(k.packed))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	first := keep(keptTable{}, "1", []byte("one"), 0)
	holds(first, "one")
	if same := keep(first, "1", []byte("one"), time.Hour); !same.at.Equal(first.at) {
		t.Error("a table that is the same is packed again")
	}
	young := keep(first, "2", []byte("two"), keepEvery-1) // each write goes to nodes
	holds(young, "one")
	second := keep(young, "2", []byte("two"), keepEvery)
	holds(second, "two")
	if first.behind || !young.behind || second.behind || keep(young, "1", []byte("one"), keepEvery-1).behind {
		t.Error("whether a table is to be kept soon is not what it should be")
	}
	large := make([]byte, plan.MaxKeptTable+1)
	if _, err := rand.Read(large); err != nil {
		t.Fatal(err)
	}
	if k := keep(first, "3", large, keepEvery); k.packed != nil || k.revision != "3" {
		t.Errorf("%d bytes are kept, which is more than fits", len(k.packed))
	}
}
