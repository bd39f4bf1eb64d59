package controllers

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func turnOf(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "media", Name: name}
}

// TestTurns upgrades a crowd: two at a time, those with viewers last and by how many they have, and all of them in the end.
func TestTurns(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var turns turns
	crowd := map[string]applicant{"hall": {viewers: 5000}, "talk": {viewers: 3}}
	for i := range 10 {
		crowd[fmt.Sprintf("s%d", i)] = applicant{}
	}
	var everyone []unknown
	for name := range crowd {
		everyone = append(everyone, unknown{name: turnOf(name)})
	}
	if why := turns.ask(turnOf("hall"), crowd["hall"], everyone, 2, now); why != forOthers {
		t.Fatalf("a stream with viewers, asked first: %q", why)
	}
	var order []string
	for range len(crowd) {
		for name, a := range crowd {
			turns.ask(turnOf(name), a, everyone, 2, now)
		}
		if running, _ := turns.counts(); running > 2 || running == 0 {
			t.Fatalf("%d at a time, after %v", running, order)
		}
		for name := range maps.Clone(turns.running) {
			order = append(order, name.Name)
			delete(crowd, name.Name)
			turns.leave(name, false)
		}
		if len(crowd) == 0 {
			break
		}
	}
	if n := len(order); n != 12 || !slices.Contains(order[n-2:], "hall") || !slices.Contains(order[n-2:], "talk") {
		t.Errorf("order %v, want talk and hall last", order)
	}
}

func TestTurnsOfOthersThatAreNotKnown(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	a, b, c := turnOf("a"), turnOf("b"), turnOf("c")
	for name, tt := range map[string]struct {
		others []unknown
		me     applicant
		want   waitsFor
	}{
		"alone":                               {nil, applicant{}, goesOn},
		"alone, with viewers":                 {nil, applicant{viewers: 5}, goesOn},
		"viewers have not left":               {nil, applicant{viewers: 5, busy: true}, forAudience},
		"another one is unknown":              {[]unknown{{name: b}}, applicant{}, goesOn},
		"another one may have fewer":          {[]unknown{{name: b}}, applicant{viewers: 1}, forOthers},
		"the former operator upgraded it":     {[]unknown{{name: b, since: now.Add(-time.Minute)}}, applicant{}, forTurn},
		"but it does not come to an end":      {[]unknown{{name: b, since: now.Add(-time.Hour)}}, applicant{}, goesOn},
		"it is the stream itself that is new": {[]unknown{{name: a}}, applicant{viewers: 1}, goesOn},
		"two of them":                         {[]unknown{{name: b, since: now}, {name: c}}, applicant{}, forTurn},
	} {
		var turns turns
		if got := turns.ask(a, tt.me, tt.others, 1, now); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestTurnsWakeWhoIsNext: a place that is free is taken at once.
func TestTurnsWakeWhoIsNext(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var turns turns
	var woken []string
	turns.wakeBy(func(name types.NamespacedName) { woken = append(woken, name.Name) })
	turns.enter(turnOf("broken"), now)
	for name, a := range map[string]applicant{"idle": {}, "busy": {viewers: 7, busy: true}, "few": {viewers: 1}} {
		if why := turns.ask(turnOf(name), a, nil, 1, now); why == goesOn {
			t.Errorf("%s goes on beside another one", name)
		}
	}
	turns.leave(turnOf("broken"), true)
	if fmt.Sprint(woken) != "[idle few]" {
		t.Errorf("woken %v", woken)
	}
	turns.leave(turnOf("idle"), true)
	turns.leave(turnOf("few"), true)
	turns.leave(turnOf("busy"), true)
	if running, waiting := turns.counts(); running+waiting+len(turns.known) != 0 {
		t.Errorf("%d, %d and %d are remembered of streams that are gone", running, waiting, len(turns.known))
	}
}
