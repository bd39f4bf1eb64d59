package integrity

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	swarmA = "AAAAAAAAAAAAAAAAAAAA"
	swarmB = "BBBBBBBBBBBBBBBBBBBB"
	name   = "v2-event-main-UYnLxGhQilEV4D0HbCx+kRv0ZF0="
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func hashOf(text string) Hash { return Of([]byte(text)) }

// say is a batch of one swarm.
func say(seeder, infoHash string, covers *Span, segments ...Segment) Batch {
	return Batch{Version: Version, Seeder: seeder, Swarms: []Swarm{{InfoHash: infoHash, Covers: covers, Segments: segments}}}
}

func TestHashAsText(t *testing.T) {
	h := hashOf("abc")
	// SHA-256 of "abc", FIPS 180-4 example: ba7816bf 8f01cfea 414140de 5dae2223 b003...
	if got := fmt.Sprintf("%x", h[:]); got != "ba7816bf8f01cfea414140de5dae2223b003" {
		t.Errorf("%s", got)
	}
	back, err := ParseHash(h.String())
	if err != nil || back != h || len(h.String()) != HashLength {
		t.Errorf("%v, %v", back, err)
	}
	if none, err := ParseHash(""); err != nil || none.String() != "" {
		t.Errorf("no hash: %v, %v", none, err)
	}
	for _, bad := range []string{"x", h.String() + "A", h.String()[:23], h.String()[:23] + "=", strings.Repeat("\n", 24), h.String()[:20] + "\n\n\n\n", strings.Repeat("é", 12)} {
		if _, err := ParseHash(bad); err == nil {
			t.Errorf("%q is a hash", bad)
		}
	}
}

func TestASeederThatHasLeftVouchesForNothing(t *testing.T) {
	l := NewLedger(Limits{})
	l.Accept(say("seeder-0", swarmA, &Span{7, MaxID}, Segment{ID: 7, Hash: hashOf("7")}), start)
	l.Accept(say("seeder-1", swarmA, &Span{7, 9}), start)
	l.Forget("seeder-0")
	if got := l.List(name, []string{swarmA}, 6, start); got.To != 9 || len(got.Hashes) != 1 {
		t.Errorf("the other seeder's words and the hash do not stay: %+v", got)
	}
	l.Forget("seeder-1")
	l.Forget("seeder-2")
	if got := l.List(name, []string{swarmA}, 6, start); got.To >= got.From {
		t.Errorf("%+v", got)
	}
}

func TestWhatSeedersSay(t *testing.T) {
	l := NewLedger(Limits{})
	said := func(id int64, at time.Time) string {
		h, known, different := l.Said(swarmA, id, at)
		return fmt.Sprint(h == hashOf("7"), known, different)
	}
	if got := said(7, start); got != "false false false" {
		t.Errorf("of a swarm that is not known: %s", got)
	}
	l.Accept(say("seeder-0", swarmA, nil, Segment{ID: 7, Hash: hashOf("7")}, Segment{ID: 8, Hash: hashOf("8")}), start)
	if got := said(7, start); got != "true true false" {
		t.Errorf("of one seeder: %s", got)
	}
	l.Accept(say("seeder-1", swarmA, nil, Segment{ID: 8, Hash: hashOf("x")}), start)
	if got := said(8, start); got != "false false false" {
		t.Errorf("while it is disputed: %s", got)
	}
	l.Accept(say("seeder-0", swarmA, nil, Segment{ID: 8, Hash: hashOf("8"), Again: true}), start)
	l.Accept(say("seeder-1", swarmA, nil, Segment{ID: 8, Hash: hashOf("x"), Again: true}), start)
	if got := said(7, start.Add(differsFor-1)); got != "true true true" {
		t.Errorf("after a segment was found unstable: %s", got)
	}
	if got := said(7, start.Add(differsFor)); got != "true true false" {
		t.Errorf("later: %s", got)
	}
}

func TestLessIsSaidAtOnce(t *testing.T) {
	j := NewJournal(0)
	for i, step := range []struct {
		span Span
		less bool
	}{{Span{1, 5}, false}, {Span{2, 6}, false}, {Span{2, MaxID}, false}, {Span{3, 7}, true}, {Span{0, -1}, true}} {
		if got, _ := j.Cover(swarmA, step.span, start); got != step.less {
			t.Errorf("step %d: %v", i, got)
		}
	}
}

func TestBatchesOutOfBoundsAreRefused(t *testing.T) {
	good := say("seeder-0", swarmA, &Span{1, MaxID}, Segment{ID: 7, Hash: hashOf("7")})
	if b, err := json.Marshal(good); err != nil {
		t.Fatal(err)
	} else if got, err := DecodeBatch(b); err != nil || !cmp.Equal(got, good) {
		t.Fatalf("%+v, %v", got, err)
	}
	many := make([]Segment, MaxBatch+1)
	for i := range many {
		many[i] = Segment{ID: int64(i), Hash: hashOf("x")}
	}
	swarms := good
	swarms.Swarms = make([]Swarm, MaxBatchSwarms+1)
	for i := range swarms.Swarms {
		swarms.Swarms[i].InfoHash = swarmA
	}
	for name, bad := range map[string]Batch{
		"version":     {Version: 2, Seeder: "s"},
		"no seeder":   {Version: Version},
		"long seeder": {Version: Version, Seeder: strings.Repeat("s", 129)},
		"odd seeder":  {Version: Version, Seeder: "s\n"},
		"info hash":   say("s", "short", nil),
		"no hash":     say("s", swarmA, nil, Segment{ID: 1}),
		"negative":    say("s", swarmA, nil, Segment{ID: -1, Hash: hashOf("x")}),
		"huge":        say("s", swarmA, nil, Segment{ID: MaxID + 1, Hash: hashOf("x")}),
		"span":        say("s", swarmA, &Span{-1, 3}),
		"segments":    say("s", swarmA, nil, many...),
		"swarms":      swarms,
	} {
		b, err := json.Marshal(bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeBatch(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := DecodeBatch(make([]byte, MaxBatchBytes+1)); err == nil {
		t.Error("a batch without end was accepted")
	}
}

func TestListsOfALedger(t *testing.T) {
	l := NewLedger(Limits{})
	l.Accept(say("one", swarmA, &Span{10, MaxID}, Segment{ID: 10, Hash: hashOf("10")}, Segment{ID: 12, Hash: hashOf("12")}), start)
	got := l.List(name, []string{swarmB, swarmA}, 9, start)
	want := List{Swarm: name, After: 9, Hashes: []string{hashOf("10").String(), "", hashOf("12").String()}, From: 10, To: MaxID}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got := l.List(name, []string{swarmA}, 11, start); len(got.Hashes) != 1 || got.Hashes[0] != hashOf("12").String() {
		t.Errorf("behind 11: %+v", got)
	}
	if got := l.List(name, []string{swarmA}, 12, start); len(got.Hashes) != 0 || !got.Covers(13) || got.Covers(9) {
		t.Errorf("behind the newest: %+v", got)
	}
	if got := l.List(name, []string{swarmB}, 9, start); len(got.Hashes) != 0 || got.Covers(10) {
		t.Errorf("of another swarm: %+v", got)
	}
	if got := l.List(name, []string{swarmA}, 9, start.Add(16*time.Second)); len(got.Hashes) != 3 || got.Covers(13) {
		t.Errorf("of a seeder that is silent: %+v", got)
	}
	for _, after := range []int64{-2, MaxID, 1 << 62} {
		if got := l.List(name, []string{swarmA}, after, start); len(got.Hashes) != 0 {
			t.Errorf("behind %d: %+v", after, got)
		}
	}
	for i := range int64(100) {
		l.Accept(say("one", swarmA, nil, Segment{ID: 13 + i, Hash: hashOf("x")}), start)
	}
	if got := l.List(name, []string{swarmA}, 11, start); len(got.Hashes) != MaxHashes || !got.Full() {
		t.Errorf("%d hashes", len(got.Hashes))
	}
}

// TestTheOriginDecides has two seeders say different things.
func TestTheOriginDecides(t *testing.T) {
	l := NewLedger(Limits{})
	covers := &Span{0, MaxID}
	l.Accept(say("one", swarmA, covers, Segment{ID: 5, Hash: hashOf("right")}), start)
	if again := l.Accept(say("two", swarmA, covers, Segment{ID: 5, Hash: hashOf("wrong")}), start); len(again) != 1 || again[0] != (Place{swarmA, 5}) {
		t.Fatalf("the second seeder is asked for %v", again)
	}
	if got := l.List(name, []string{swarmA}, 4, start); len(got.Hashes) != 1 || got.Hashes[0] != "" || !got.Covers(5) {
		t.Errorf("while it is disputed: %+v", got)
	}
	if c := l.Counts(); c.Disputed != 1 || c.Conflicts != 1 || c.Newest != (Place{swarmA, 5}) {
		t.Errorf("%+v", c)
	}
	if again := l.Accept(say("one", swarmA, covers), start.Add(time.Second)); len(again) != 1 {
		t.Fatalf("the first seeder is asked for %v", again)
	}
	l.Accept(say("one", swarmA, covers, Segment{ID: 5, Hash: hashOf("right"), Again: true}), start.Add(2*time.Second))
	if got := l.List(name, []string{swarmA}, 4, start); got.Hashes[0] != hashOf("right").String() {
		t.Errorf("after the origin was asked: %+v", got)
	}
	// The other one still holds wrong bytes: it is asked until it has looked.
	if again := l.Accept(say("two", swarmA, covers), start.Add(3*time.Second)); len(again) != 1 {
		t.Fatalf("the second seeder is asked for %v", again)
	}
	l.Accept(say("two", swarmA, covers, Segment{ID: 5, Hash: hashOf("right"), Again: true}), start.Add(4*time.Second))
	if again := l.Accept(say("two", swarmA, covers), start.Add(5*time.Second)); len(again) != 0 {
		t.Errorf("asked again for %v", again)
	}
	if c := l.Counts(); c.Disputed != 0 || c.Conflicts != 1 || c.Decided != 1 || c.Unstable != 0 {
		t.Errorf("%+v", c)
	}
}

// TestAnOriginThatDisagreesWithItself gives each seeder other bytes, whenever it asks.
func TestAnOriginThatDisagreesWithItself(t *testing.T) {
	l := NewLedger(Limits{})
	covers := &Span{0, MaxID}
	for _, seeder := range []string{"one", "two"} {
		l.Accept(say(seeder, swarmA, covers, Segment{ID: 5, Hash: hashOf(seeder)}, Segment{ID: 6, Hash: hashOf("6")}), start)
	}
	for _, seeder := range []string{"one", "two"} {
		l.Accept(say(seeder, swarmA, covers, Segment{ID: 5, Hash: hashOf(seeder), Again: true}), start)
	}
	got := l.List(name, []string{swarmA}, 4, start)
	if got.Hashes[0] != "" || got.Covers(5) || got.Hashes[1] == "" {
		t.Errorf("%+v", got)
	}
	if c := l.Counts(); c.Unstable != 1 || c.Disputed != 0 {
		t.Errorf("%+v", c)
	}
}

func TestAnsweringAgainNeedsAQuestion(t *testing.T) {
	l := NewLedger(Limits{})
	l.Accept(say("one", swarmA, nil, Segment{ID: 5, Hash: hashOf("first")}), start)
	l.Accept(say("one", swarmA, nil, Segment{ID: 5, Hash: hashOf("other"), Again: true}), start)
	if got := l.List(name, []string{swarmA}, 4, start); got.Hashes[0] != hashOf("first").String() {
		t.Errorf("%+v", got)
	}
}

func TestALedgerIsBounded(t *testing.T) {
	l := NewLedger(Limits{Swarms: 3, PerSwarm: 100, Hashes: 250, Seeders: 2})
	for s := range 10 {
		hash := fmt.Sprintf("%020d", s)
		for i := range 150 {
			l.Accept(say("one", hash, nil, Segment{ID: int64(i), Hash: hashOf("x")}), start.Add(time.Duration(s)*time.Second))
		}
		c := l.Counts()
		if c.Swarms > 3 || c.Hashes > 250 || int64(c.Hashes)+c.Dropped != int64(150*(s+1)) {
			t.Fatalf("after %d swarms: %+v", s+1, c)
		}
		if got := l.List(name, []string{hash}, 148, start); len(got.Hashes) != 1 || got.Hashes[0] == "" {
			t.Fatalf("the newest hash was dropped: %+v", got)
		}
	}
	hash := fmt.Sprintf("%020d", 9)
	now := start.Add(9 * time.Second)
	for i := range 5 {
		l.Accept(say(fmt.Sprint("more-", i), hash, &Span{0, int64(1000 * (i + 1))}, Segment{ID: 149, Hash: hashOf(fmt.Sprint(i))}), now)
	}
	if n := len(l.swarms[hash].covers); n != 2 {
		t.Errorf("%d seeders are told apart", n)
	}
	l.Accept(say("later", hash, &Span{0, 7}), now.Add(time.Minute))
	if got := l.List(name, []string{hash}, 0, now.Add(time.Minute)); got.To != 7 {
		t.Errorf("a seeder was not admitted after others fell silent: %+v", got)
	}
}

func TestSignedAnswers(t *testing.T) {
	key := Key([]byte("0123456789abcdef"), "event")
	lists := []List{{Swarm: name, After: 4, Hashes: []string{hashOf("5").String(), ""}, From: 1, To: MaxID}}
	b, err := json.Marshal(Sign(key, lists))
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeAnswer(key, b)
	if err != nil || !cmp.Equal(got.Lists, lists) {
		t.Fatalf("%+v, %v", got, err)
	}
	// The text is what the page signs again; see web/src/check.js.
	if text := Text(lists); text != name+"\n4\n1\n9007199254740991\n"+hashOf("5").String()+",\n" {
		t.Errorf("%q", text)
	}
	for name, other := range map[string][]byte{
		"another stream": Key([]byte("0123456789abcdef"), "other"), "another key": Key([]byte("fedcba9876543210"), "event"), "none": nil,
	} {
		if _, err := DecodeAnswer(other, b); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range b {
		changed := append([]byte(nil), b...)
		changed[i] ^= 1
		if got, err := DecodeAnswer(key, changed); err == nil && !cmp.Equal(got.Lists, lists) {
			t.Errorf("byte %d was changed and is believed: %+v", i, got)
		}
	}
	for name, bad := range map[string][]List{
		"no name":    {{Swarm: "", Hashes: []string{}}},
		"line feeds": {{Swarm: "a\nb", Hashes: []string{}}},
		"long name":  {{Swarm: strings.Repeat("a", MaxSwarmName+1)}},
		"below":      {{Swarm: name, After: -2}},
		"long list":  {{Swarm: name, Hashes: make([]string, MaxHashes+1)}},
		"no hash":    {{Swarm: name, Hashes: []string{"x"}}},
		"many":       make([]List, MaxLists+1),
	} {
		b, err := json.Marshal(Sign(key, bad))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeAnswer(key, b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAJournalIsReadFromAnyPlace(t *testing.T) {
	j := NewJournal(100)
	j.Cover(swarmA, Span{0, MaxID}, start)
	for i := range int64(10) {
		j.Add(swarmA, Segment{ID: i, Hash: hashOf("a")})
		j.Add(swarmB, Segment{ID: i, Hash: hashOf("b")})
	}
	b, next := j.Next("one", 0, start)
	if next != 20 || len(b.Swarms) != 2 || len(b.Swarms[0].Segments) != 10 || b.Swarms[0].Covers == nil || b.Swarms[1].Covers != nil {
		t.Fatalf("%d %+v", next, b)
	}
	if b, next := j.Next("one", 19, start); next != 20 || len(b.Swarms) != 2 || len(b.Swarms[0].Segments) != 0 || len(b.Swarms[1].Segments) != 1 {
		t.Errorf("%d %+v", next, b)
	}
	if b, next := j.Next("one", 20, start.Add(time.Minute)); next != 20 || len(b.Swarms) != 0 {
		t.Errorf("a swarm that was left: %d %+v", next, b)
	}
	for i := range int64(1000) {
		j.Add(swarmA, Segment{ID: 10 + i, Hash: hashOf("a")})
	}
	if n := len(j.records); n > 100 || j.End() != 1020 {
		t.Errorf("%d records up to %d", n, j.End())
	}
	if b, next := j.Next("one", 0, start); next != 1020 || b.check() != nil {
		t.Errorf("from the beginning: %d, %v", next, b.check())
	}
	if _, next := j.Next("one", 5000, start); next != 1020 {
		t.Errorf("from beyond the end: %d", next)
	}
	long := NewJournal(0)
	for i := range int64(MaxBatch + 5) {
		long.Add(fmt.Sprintf("%020d", i), Segment{ID: i, Hash: hashOf("a")})
	}
	for at, rounds := int64(0), 0; at < long.End(); rounds++ {
		b, next := long.Next("one", at, start)
		if next == at || b.check() != nil || rounds > 100 {
			t.Fatalf("from %d to %d: %v", at, next, b.check())
		}
		at = next
	}
}

func TestWhatAViewerKnows(t *testing.T) {
	k := NewKnown()
	k.Learn(List{Swarm: name, After: 4, Hashes: []string{hashOf("5").String(), "", hashOf("7").String()}, From: 5, To: MaxID}, start)
	for id, want := range map[int64]bool{4: false, 5: true, 6: false, 7: true} {
		if _, ok := k.Hash(name, id); ok != want {
			t.Errorf("%d: known %v", id, ok)
		}
	}
	if !k.Covered(name, 8) || k.Covered(name, 4) || k.Covered("other", 8) {
		t.Error("the span is wrong")
	}
	k.Learn(List{Swarm: name, After: 4, Hashes: []string{""}, From: 5, To: 4}, start)
	if _, ok := k.Hash(name, 5); ok || k.Covered(name, 8) {
		t.Error("a segment that is disputed now is still known")
	}
	for i := range int64(500) {
		hashes := make([]string, MaxHashes)
		for n := range hashes {
			hashes[n] = hashOf("x").String()
		}
		k.Learn(List{Swarm: name, After: i * MaxHashes, Hashes: hashes}, start)
		k.Learn(List{Swarm: fmt.Sprint(name, i), After: 0, Hashes: hashes[:1]}, start.Add(time.Duration(i)*time.Second))
	}
	if len(k.swarms) > knownSwarms {
		t.Errorf("%d swarms are remembered", len(k.swarms))
	}
	for _, s := range k.swarms {
		if len(s.hashes) > knownPerSwarm {
			t.Errorf("%d hashes are remembered", len(s.hashes))
		}
	}
}

// TestIDsComeAgainWhenAnEventEnds: players name the last segments of a live playlist by their places, which are ids that the
// first ones of the event had.
func TestIDsComeAgainWhenAnEventEnds(t *testing.T) {
	l, k := NewLedger(Limits{}), NewKnown()
	told := func(id int64, hash string, from, to int64) {
		span := Span{from, to}
		l.Accept(Batch{Seeder: "one", Swarms: []Swarm{{InfoHash: name, Covers: &span, Segments: []Segment{{ID: id, Hash: hashOf(hash)}}}}}, start)
	}
	learn := func(after int64) { k.Learn(l.List(name, []string{name}, after, start), start) }
	told(5, "begin", 0, MaxID)
	learn(4)
	told(16, "middle", 5, MaxID)
	if _, known, _ := l.Said(name, 5, start); !known {
		t.Error("what a seeder vouches for was forgotten")
	}
	told(17, "later", 10, MaxID)
	learn(16)
	if h, ok := k.Hash(name, 5); ok {
		t.Errorf("a viewer still knows %v of a segment that is gone", h)
	}
	told(5, "end", 5, 17)
	learn(4)
	if h, ok := k.Hash(name, 5); !ok || h != hashOf("end") {
		t.Errorf("the last segment is %v, known %v", h, ok)
	}
	if c := l.Counts(); c.Conflicts != 0 || c.Hashes != 3 || c.Dropped != 0 {
		t.Errorf("%+v", c)
	}
	told(4, "film", 0, 17) // what ended is held on
	if _, known, _ := l.Said(name, 4, start); !known {
		t.Error("a segment of an event that has ended is not known")
	}
}

// BenchmarkHash is what checking one segment costs: 1.25 MB are two seconds at 5 Mbit/s.
func BenchmarkHash(b *testing.B) {
	data := make([]byte, 1_250_000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Of(data)
	}
}

func TestAJournalSaysWhatTrackersMayHaveForgotten(t *testing.T) {
	j := NewJournal(0)
	none := Span{0, -1}
	for i, step := range []struct{ span, forgotten Span }{
		{Span{100, MaxID}, none},
		{Span{90, MaxID}, none}, // what is older comes later: it was not told before
		{Span{107, MaxID}, none},
		{Span{103, MaxID}, Span{103, 106}},
		{none, none},
		{Span{80, MaxID}, Span{90, 102}},
		{Span{80, 110}, none},
	} {
		_, got := j.Cover(swarmA, step.span, start)
		if got != step.forgotten && (got.From <= got.To || step.forgotten != none) {
			t.Errorf("step %d: %v, want %v", i, got, step.forgotten)
		}
	}
	if less, _ := j.Cover(swarmA, Span{80, 100}, start); !less {
		t.Error("a part is taken back")
	}
	j.Next("one", 0, start.Add(time.Minute))
	if _, got := j.Cover(swarmA, Span{0, MaxID}, start); got.From <= got.To {
		t.Errorf("of a swarm that was left: %v", got)
	}
}

// TestASeederThatReturnsHasItsHashes: it tells each of them once, and another one vouches for less meanwhile.
func TestASeederThatReturnsHasItsHashes(t *testing.T) {
	for name, away := range map[string]func(*Ledger) time.Time{
		"silent": func(*Ledger) time.Time { return start.Add(10 * time.Second) },
		"left":   func(l *Ledger) time.Time { l.Forget("one"); return start.Add(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			l := NewLedger(Limits{})
			l.Accept(say("one", swarmA, &Span{5, MaxID}, Segment{ID: 5, Hash: hashOf("5")}), start)
			now := away(l)
			l.Accept(say("two", swarmA, &Span{6, MaxID}, Segment{ID: 6, Hash: hashOf("6")}), now)
			if got := l.List(name, []string{swarmA}, 4, now); got.Covers(5) {
				t.Errorf("a seeder that is away vouches for 5: %+v", got)
			}
			l.Accept(say("one", swarmA, &Span{5, MaxID}), now)
			if got := l.List(name, []string{swarmA}, 4, now); !got.Covers(5) || got.Hashes[0] == "" {
				t.Errorf("when it is back: %+v", got)
			}
			late := now.Add(2 * time.Minute)
			l.Accept(say("two", swarmA, &Span{6, MaxID}), late)
			if got := l.List(name, []string{swarmA}, 4, late); got.Hashes[0] != "" {
				t.Errorf("what was left behind long ago is kept: %+v", got)
			}
		})
	}
}
