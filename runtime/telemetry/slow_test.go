package telemetry

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// slow is what Aggregate is to compute, without anything kept up to date: it remembers all that was reported, and each question
// goes through all of it. Nothing is packed, and each reading goes through all sessions.
type slow struct {
	cfg      Config
	sessions map[Sender]*slowSession // by role and key alone
	events   []slowEvent
	names    map[string]string
	evicted  int64
	readAt   time.Time
	reading  int64
	changed  bool
}

type slowSession struct {
	from                 Sender
	last                 time.Time
	heard                int // when, in order
	report               Report
	counters, read, kept Counters
	owed                 []Receipt
	startup              int64
	bytes                map[string]Sources
	rose                 map[string]time.Time
}

// slowEvent is what one report, or receipts that were settled, added.
type slowEvent struct {
	group   GroupKey
	Result  Result
	at      time.Time
	elapsed time.Duration
}

func slowKey(from Sender) Sender { return Sender{Role: from.Role, Key: from.Key} }

func (s *slowSession) patience(cfg Config) time.Duration {
	return time.Duration(cfg.LiveIntervals) * max(s.from.Interval, cfg.Interval)
}

func (s *slow) forget(now time.Time, keep int) {
	all := slices.SortedFunc(maps.Values(s.sessions), func(x, y *slowSession) int { return cmp.Compare(x.heard, y.heard) })
	for _, one := range all {
		if now.Sub(one.last) <= s.cfg.Lifetime && len(s.sessions) <= keep {
			return
		}
		delete(s.sessions, slowKey(one.from))
		s.evicted++
	}
}

// accept takes a report that Aggregate accepted, and returns what it is to answer.
func (s *slow) accept(from Sender, r Report, now time.Time, heard int) (acked Counters, receipts []Receipt) {
	one := s.sessions[slowKey(from)]
	var e slowEvent
	if one == nil {
		s.forget(now, s.cfg.MaxSessions-1)
		one = &slowSession{bytes: map[string]Sources{}, rose: map[string]time.Time{}}
		s.sessions[slowKey(from)] = one
		var base Counters
		e.elapsed = now.Sub(from.Began)
		if r.Base != nil {
			base, e.elapsed = *r.Base, 0
		} else {
			e.Result.Stalls, e.Result.StallMs, e.Result.Checks = r.Stalls, r.StallMs, r.checks()
		}
		if r.Sequence == 1 {
			e.Result.Startup = r.StartupMs
		}
		one.kept, one.read = base, base
		for _, receipt := range r.Receipts {
			if !receipt.Counters.AtLeast(base) {
				continue
			}
			base = receipt.Counters
			if receipt.Boot == s.cfg.Boot {
				one.owed = nil
				if receipt.Reading <= s.reading {
					one.read = base
				}
				continue
			}
			one.owed = append(one.owed, receipt)
		}
		e.Result.Delta = r.Counters.Sub(base)
	} else {
		e.elapsed = now.Sub(one.last)
		e.Result = Result{Delta: r.Counters.Sub(one.counters), Stalls: r.Stalls - one.report.Stalls, StallMs: r.StallMs - one.report.StallMs,
			Checks: r.checks().Sub(one.report.checks())}
		if one.startup == 0 {
			e.Result.Startup = r.StartupMs
		}
	}
	one.from, one.last, one.heard, one.report, one.counters, one.startup = from, now, heard, r, r.Counters, max(one.startup, r.StartupMs)
	e.group, e.at = GroupKey{from.Stream, from.Role, from.Site}, now
	s.event(e)
	for _, p := range r.Played {
		if one.bytes[p.Rendition] != p.Sources {
			one.rose[p.Rendition] = now
		}
		one.bytes[p.Rendition] = p.Sources
	}
	if len(r.Played) == 0 && e.Result.Delta.Received() > 0 {
		one.rose[""] = now
	}
	if !s.cfg.OnlyRead && (s.readAt.IsZero() || now.Sub(s.readAt) > readFor) && len(one.owed) == 0 {
		one.kept, one.read = one.counters, one.counters
		return one.counters, nil
	}
	receipts = slices.Clone(one.owed[max(0, len(one.owed)-(MaxReceipts-2)):])
	if s.reading > 0 && !one.kept.AtLeast(one.read) {
		receipts = append(receipts, Receipt{s.cfg.Boot, s.reading, one.read})
	}
	if !one.read.AtLeast(one.counters) {
		receipts = append(receipts, Receipt{s.cfg.Boot, s.reading + 1, one.counters})
	}
	return one.kept, receipts
}

func (s *slow) event(e slowEvent) {
	s.events = append(s.events, e)
	if e.group.Role == RoleViewer && (e.Result.Delta.Received() > 0 || e.Result.Delta.Discarded > 0) {
		s.changed = true
	}
}

func (s *slow) markRead(now time.Time, kept Kept) int64 {
	s.readAt = now
	for _, one := range s.sessions {
		if len(one.owed) == 0 {
			continue
		}
		base, counted := one.kept, one.owed[len(one.owed)-1].Counters
		for _, r := range one.owed {
			if kept.has(r) {
				base = r.Counters
			}
		}
		s.event(slowEvent{group: GroupKey{one.from.Stream, one.from.Role, one.from.Site}, Result: Result{Delta: counted.Sub(base)}, at: now})
		one.kept, one.owed = base, nil
	}
	confirmed := s.reading > 0 && kept[s.cfg.Boot] == s.reading
	if s.changed {
		s.reading, s.changed = s.reading+1, false
	}
	for _, one := range s.sessions {
		if confirmed {
			one.kept = highest(one.kept, one.read)
		}
		one.read = one.counters
	}
	return s.reading
}

func (s *slow) groups(now time.Time) map[GroupKey]Group {
	out, startups := map[GroupKey]Group{}, map[GroupKey]int64{}
	width := max(s.cfg.Window/windowBuckets, 1)
	for _, e := range s.events {
		g := out[e.group]
		g.GroupKey = e.group
		g.Totals, g.Stalls, g.StallMs = g.Totals.Add(e.Result.Delta), g.Stalls+int64(e.Result.Stalls), g.StallMs+e.Result.StallMs
		g.Checks = g.Checks.Add(e.Result.Checks)
		if e.Result.Startup > 0 {
			startups[e.group] += e.Result.Startup
			g.Startups++
			g.StartupMs = startups[e.group] / g.Startups
		}
		if now.UnixNano()/int64(width)-e.at.UnixNano()/int64(width) < windowBuckets {
			delta := e.Result.Delta
			if span := width * windowBuckets; e.elapsed > span {
				delta = delta.scale(float64(span) / float64(e.elapsed))
			}
			g.Window = g.Window.Add(delta)
		}
		out[e.group] = g
	}
	for _, one := range s.sessions {
		if one.from.Vouched.IsZero() && now.Sub(one.last) <= one.patience(s.cfg) {
			key := GroupKey{one.from.Stream, one.from.Role, one.from.Site}
			g := out[key]
			g.Reporting, g.Peers = g.Reporting+1, g.Peers+one.report.Peers
			out[key] = g
		}
	}
	return out
}

// slowSite is who is heard at a site and what they play.
type slowSite struct {
	Reporting, Telling, Alone int
	plays                     map[string]int
}

func (s *slow) sites(now time.Time) map[string]slowSite {
	out := map[string]slowSite{}
	rename := func(name string) string {
		if s.names == nil || name == "" {
			return name
		}
		return cmp.Or(s.names[name], OtherRendition)
	}
	for _, one := range s.sessions {
		if one.from.Role != RoleViewer || !one.from.Vouched.IsZero() || now.Sub(one.last) > one.patience(s.cfg) {
			continue
		}
		site := out[one.from.Site]
		if site.plays == nil {
			site.plays = map[string]int{}
		}
		site.Reporting++
		if len(one.report.Played) > 0 {
			site.Telling++
		}
		if one.from.Alone {
			site.Alone++
		}
		named := map[string]bool{}
		for key, rose := range one.rose {
			if now.Sub(rose) <= one.patience(s.cfg) {
				named[rename(key)] = true
			}
		}
		for name := range named {
			site.plays[name]++
		}
		out[one.from.Site] = site
	}
	return out
}

// check compares all that the aggregate says with what is computed from scratch.
func (s *slow) check(t *testing.T, a *Aggregate, now time.Time, when string) {
	t.Helper()
	s.forget(now, s.cfg.MaxSessions)
	summary, groups := a.Summary(now), s.groups(now)
	if summary.Sessions != len(s.sessions) || summary.Evicted != s.evicted || len(summary.Groups) != len(groups) {
		t.Fatalf("%s: %d sessions, %d forgotten, %d groups; want %d, %d, %d", when, summary.Sessions, summary.Evicted, len(summary.Groups),
			len(s.sessions), s.evicted, len(groups))
	}
	for _, g := range summary.Groups {
		if g != groups[g.GroupKey] {
			t.Fatalf("%s:\n%+v, want\n%+v", when, g, groups[g.GroupKey])
		}
	}
	sites := s.sites(now)
	for _, got := range a.Sites("s", now) {
		want := sites[got.Site]
		if got.Reporting != want.Reporting || got.Telling != want.Telling || got.Alone != want.Alone {
			t.Fatalf("%s: %s has %d, %d, %d viewers, want %+v", when, got.Site, got.Reporting, got.Telling, got.Alone, want)
		}
		for _, r := range got.Renditions {
			if r.Viewers != want.plays[r.Rendition] {
				t.Fatalf("%s: %d viewers of %q at %s, want %d", when, r.Viewers, r.Rendition, got.Site, want.plays[r.Rendition])
			}
		}
	}
}

// TestSumsAreThoseOfASlowAggregate: after any sequence of reports, readings, silence, moves, other names of renditions, ends of
// sessions and ends of trackers, sums that are kept up to date are those computed from scratch, and answers are the same.
func TestSumsAreThoseOfASlowAggregate(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		compareWithSlow(t, seed)
	}
}

func compareWithSlow(t *testing.T, seed uint64) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 5))
	now, boots := start, 0
	cfg := Config{MaxSessions: 30, Lifetime: 10 * time.Minute, BurstBytes: 1 << 50, ReportBurst: 1 << 20, OnlyRead: seed%3 > 0}
	var a *Aggregate
	var s *slow
	boot := func() {
		boots++
		cfg.Boot = fmt.Sprint("boot-", boots)
		a = NewAggregate(cfg, now)
		s = &slow{cfg: a.cfg, sessions: map[Sender]*slowSession{}}
	}
	boot()
	type peer struct {
		from Sender
		r    Report
	}
	renditions := []string{"a", "b", "main-0", "main-1", "x"}
	var peers []*peer
	for i := range 40 {
		p := &peer{from: Sender{Key: fmt.Sprint("k", i), Stream: "s", Role: RoleViewer, Began: now}, r: Report{Version: 1, Role: RoleViewer}}
		if i%10 == 0 {
			p.from.Role, p.r.Role = RoleSeeder, RoleSeeder
		}
		peers = append(peers, p)
	}
	kept := Kept{}
	for step := range 1500 {
		now = now.Add(time.Duration(rnd.Int64N(int64(2 * time.Second))))
		when := fmt.Sprintf("seed %d, step %d", seed, step)
		switch rnd.IntN(60) {
		case 0:
			now = now.Add(time.Duration(rnd.Int64N(int64(4 * time.Minute))))
		case 1:
			if rnd.IntN(5) == 0 {
				boot()
			}
		case 2:
			names := []map[string]string{nil, {"a": "a", "main-0": "a", "b": "b"}, {"a": "a", "main-1": "b", "b": "b"}}[rnd.IntN(3)]
			a.SetRenditions(names)
			s.names = names
		case 3, 4, 5:
			number := a.MarkRead(now, kept)
			if want := s.markRead(now, kept); number != want {
				t.Fatalf("%s: reading %d, want %d", when, number, want)
			}
			if rnd.IntN(2) == 0 {
				kept[cfg.Boot] = number
			}
		}
		p := peers[rnd.IntN(len(peers))]
		p.r.Sequence++
		if rnd.IntN(6) > 0 {
			n := rnd.Int64N(1000)
			p.r.Counters = p.r.Counters.Add(Counters{HTTP: n, Seeder: 2 * n, Viewer: 3 * n, Discarded: n / 2, Uploaded: n})
		}
		p.r.Peers, p.r.Checks = rnd.IntN(20), &Checks{Right: p.r.Sequence}
		if p.r.StartupMs == 0 && rnd.IntN(3) == 0 {
			p.r.StartupMs = 1 + rnd.Int64N(900)
		}
		if rnd.IntN(20) == 0 {
			p.r.Stalls, p.r.StallMs = p.r.Stalls+1, p.r.StallMs+1+rnd.Int64N(900)
		}
		told := slices.Clone(p.r.Played)
		switch one := renditions[rnd.IntN(len(renditions))]; {
		case rnd.IntN(30) == 0:
			told = nil
		case !slices.ContainsFunc(told, func(x Played) bool { return x.Rendition == one }):
			told = append(told, Played{one, Sources{Origin: 1 + rnd.Int64N(100)}})
		default:
			for i := range told {
				if told[i].Rendition == one {
					told[i].ViewerInside += 1 + rnd.Int64N(500)
				}
			}
		}
		p.r.Played = told
		p.from.Site, p.from.Alone = fmt.Sprint("site", rnd.IntN(4)), rnd.IntN(8) == 0
		p.from.Interval = []time.Duration{0, 20 * time.Second, time.Minute}[rnd.IntN(3)]
		p.from.Vouched = time.Time{}
		if rnd.IntN(8) == 0 {
			p.from.Vouched = now
		}
		result, err := a.Accept(p.from, p.r, now)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		acked, receipts := s.accept(p.from, p.r, now, step)
		if result.Acked != acked || !slices.Equal(result.Receipts, receipts) {
			t.Fatalf("%s: acknowledged %+v %+v, want %+v %+v", when, result.Acked, result.Receipts, acked, receipts)
		}
		if event := s.events[len(s.events)-1].Result; event.Delta != result.Delta {
			t.Fatalf("%s: counted %+v, want %+v", when, result.Delta, event.Delta)
		}
		if p.r.Base == nil || rnd.IntN(5) > 0 { // else the answer is lost
			p.r.Base, p.r.Receipts = &result.Acked, result.Receipts
		}
		if _, err := a.Accept(p.from, p.r, now); err == nil { // a report that is refused changes nothing
			t.Fatalf("%s: taken twice", when)
		}
		if step%5 == 0 {
			s.check(t, a, now, when)
		}
	}
}
