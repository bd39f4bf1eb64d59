package controllers

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Upgrades say how an operator replaces the pods of streams that were planned by a former version of it, or with other settings.
type Upgrades struct {
	// AtOnce is how many streams are upgraded at a time; 0 is all.
	AtOnce int
	// WhenIdle is for how long at most a stream with viewers keeps its pods, from the moment at which its upgrade begins to wait;
	// 0: it is upgraded after the streams without viewers.
	WhenIdle time.Duration
}

// turnLasts is how long an upgrade takes up its place at most: a stream that cannot be upgraded does not hold up the others.
const turnLasts = 10 * time.Minute

// turns decides which stream may be upgraded when. All that it knows is found again by a restarted operator: streams say in their
// status that they are being upgraded, and others are asked for, one by one, before a stream with viewers has its turn.
type turns struct {
	mu      sync.Mutex
	known   map[types.NamespacedName]bool      // streams that this operator has had a run of
	running map[types.NamespacedName]time.Time // since when
	waiting map[types.NamespacedName]applicant
	wake    func(types.NamespacedName)
}

// applicant is a stream that waits for its turn.
type applicant struct {
	viewers int
	busy    bool // it has viewers and waits until they have left
}

// unknown is a stream that this operator has had no run of.
type unknown struct {
	name  types.NamespacedName
	since time.Time // that its status says that it is being upgraded; zero: it does not
}

// Why a stream waits.
type waitsFor string

const (
	goesOn      waitsFor = ""
	forTurn     waitsFor = "turn"
	forAudience waitsFor = "audience"
	forOthers   waitsFor = "others"
)

// ask wants a turn for a stream. It may have it at once, if it has no viewers and there is a place; with viewers, once no stream
// with fewer waits or is still unknown.
func (t *turns) ask(me types.NamespacedName, a applicant, others []unknown, atOnce int, now time.Time) waitsFor {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.init()
	t.known[me] = true
	if _, has := t.running[me]; has {
		return goesOn
	}
	t.waiting[me] = a
	if a.busy {
		return forAudience
	}
	taken, unasked := 0, 0
	for name, since := range t.running {
		if name != me && now.Sub(since) < turnLasts {
			taken++
		}
	}
	for _, u := range others {
		switch {
		case t.known[u.name] || u.name == me:
		case !u.since.IsZero() && now.Sub(u.since) < turnLasts:
			taken++
		default:
			unasked++
		}
	}
	switch {
	case atOnce > 0 && taken >= atOnce:
		return forTurn
	case a.viewers > 0 && (unasked > 0 || t.first(me) != me):
		return forOthers
	}
	delete(t.waiting, me)
	t.running[me] = now
	return goesOn
}

// next are the streams that are to be woken: those that are first in line.
func (t *turns) next() []types.NamespacedName {
	var names []types.NamespacedName
	for name, a := range t.waiting {
		if !a.busy {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b types.NamespacedName) int {
		return cmp.Or(cmp.Compare(t.waiting[a].viewers, t.waiting[b].viewers), cmp.Compare(a.String(), b.String()))
	})
	return names[:min(len(names), wakes)]
}

// first is the stream among those that wait which is next, me included.
func (t *turns) first(me types.NamespacedName) types.NamespacedName {
	best := me
	for name, a := range t.waiting {
		b := t.waiting[best]
		if !a.busy && (a.viewers < b.viewers || a.viewers == b.viewers && name.String() < best.String()) {
			best = name
		}
	}
	return best
}

// enter lets a stream go on that may not wait: its spec has changed, or it was being upgraded before this operator started.
func (t *turns) enter(me types.NamespacedName, since time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.init()
	t.known[me] = true
	delete(t.waiting, me)
	if _, has := t.running[me]; !has {
		t.running[me] = since
	}
}

// leave says that a stream needs no turn, any more or at all, and wakes those that are next.
func (t *turns) leave(me types.NamespacedName, gone bool) {
	t.mu.Lock()
	t.init()
	_, ran := t.running[me]
	_, waited := t.waiting[me]
	first := !t.known[me]
	delete(t.running, me)
	delete(t.waiting, me)
	t.known[me] = true
	if gone {
		delete(t.known, me)
	}
	var next []types.NamespacedName
	if ran || waited || first {
		next = t.next()
	}
	wake := t.wake
	t.mu.Unlock()
	if wake == nil {
		return
	}
	for _, name := range next {
		wake(name)
	}
}

// wakes is how many of those that wait are woken when a place is free. The others ask again by themselves.
const wakes = 8

func (t *turns) init() {
	if t.known == nil {
		t.known, t.running, t.waiting = map[types.NamespacedName]bool{}, map[types.NamespacedName]time.Time{}, map[types.NamespacedName]applicant{}
	}
}

// counts of streams that are being upgraded, and that wait.
func (t *turns) counts() (running, waiting int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.running), len(t.waiting)
}

// wakeBy says how to wake streams.
func (t *turns) wakeBy(wake func(types.NamespacedName)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wake = wake
}
