package browser

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// Reading a report costs the page as much as a hundred milliseconds of playing, so pauses between two grow by a quarter.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = time.Second
	evalLimit  = 15 * time.Second
	openLimit  = time.Minute
)

// Tab is one page.
type Tab struct {
	tb   testing.TB
	name string
	url  string
	page page
	once sync.Once
}

// URL is the address that the tab was opened with.
func (t *Tab) URL() string { return t.url }

// Report reads the page's report.
func (t *Tab) Report(ctx context.Context) Report {
	t.tb.Helper()
	r, err := t.read(ctx)
	if err != nil {
		t.tb.Fatalf("reading the report of the %s tab: %v", t.name, err)
	}
	return r
}

func (t *Tab) read(ctx context.Context) (Report, error) {
	bound, cancel := context.WithTimeout(ctx, evalLimit)
	defer cancel()
	return value[Report](bound, t.page, `window.report ?? {}`)
}

// WaitFor reads reports until ok, and ends the test with the last one when that takes longer than
// limit or ctx.
func (t *Tab) WaitFor(ctx context.Context, limit time.Duration, what string, ok func(Report) bool) Report {
	t.tb.Helper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	pause := time.NewTimer(firstPause)
	defer pause.Stop()
	var last Report
	for next := firstPause; ; next = min(next*5/4, lastPause) {
		r, err := t.read(ctx)
		if err == nil {
			if last = r; ok(r) {
				return r
			}
		}
		select {
		case <-pause.C:
			pause.Reset(next)
		case <-ctx.Done():
			t.tb.Fatalf("waited %s for %s in the %s tab; its report: %s", limit, what, t.name, last.Dump())
		}
	}
}

// WaitPlaying waits for the first frame, and for the playhead to be where it belongs: on a live stream that
// is told a moment later.
func (t *Tab) WaitPlaying(ctx context.Context) Report {
	t.tb.Helper()
	return t.WaitFor(ctx, 30*time.Second, "the first frame", func(r Report) bool { return r.FirstFrameMs >= 0 && r.CurrentTime > 0 })
}

// Eval runs JavaScript in the page and waits for its promise. The player is window.player, the P2P
// engine window.engine.
func (t *Tab) Eval(ctx context.Context, text string) {
	t.tb.Helper()
	t.run(ctx, script{text: text})
}

// Click runs JavaScript as the answer to a click of the user.
func (t *Tab) Click(ctx context.Context, text string) {
	t.tb.Helper()
	t.run(ctx, script{text: text, byUser: true})
}

func (t *Tab) run(ctx context.Context, s script) {
	t.tb.Helper()
	bound, cancel := context.WithTimeout(ctx, evalLimit)
	defer cancel()
	if _, err := t.page.evaluate(bound, s); err != nil {
		t.tb.Fatalf("running %q in the %s tab: %v", s.text, t.name, err)
	}
}

// Value is Eval of an expression, that decodes its value.
func Value[T any](ctx context.Context, t *Tab, expression string) T {
	t.tb.Helper()
	bound, cancel := context.WithTimeout(ctx, evalLimit)
	defer cancel()
	v, err := value[T](bound, t.page, expression)
	if err != nil {
		t.tb.Fatalf("running %q in the %s tab: %v", expression, t.name, err)
	}
	return v
}

// Seek moves the playhead, in seconds of the presentation.
func (t *Tab) Seek(ctx context.Context, seconds float64) {
	t.tb.Helper()
	t.Eval(ctx, fmt.Sprintf(`document.getElementById("video").currentTime = %g`, seconds))
}

// ApplyCore changes p2p-media-loader core options while the page plays.
func (t *Tab) ApplyCore(ctx context.Context, optionsJSON string) {
	t.tb.Helper()
	t.Eval(ctx, fmt.Sprintf(`window.engine.applyDynamicConfig({core: %s})`, optionsJSON))
}

// Leave navigates to an empty page, as a user does who stops watching: the page is told, and takes leave of its peers and
// of telemetry, which Close may cut short.
func (t *Tab) Leave(ctx context.Context) {
	t.tb.Helper()
	if err := t.navigate(ctx, "about:blank"); err != nil {
		t.tb.Fatalf("leaving the %s tab: %v", t.name, err)
	}
}

// Close closes the tab as a user does. It may be called more than once.
func (t *Tab) Close() { t.once.Do(t.page.close) }

func (t *Tab) navigate(ctx context.Context, url string) error {
	bound, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	return t.page.navigate(bound, url)
}
