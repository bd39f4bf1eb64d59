package browser

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Look shows the page as on a screen of that size, in CSS pixels, to a person who prefers dark pages or light ones. It
// needs Chromium, as Picture does.
func (t *Tab) Look(ctx context.Context, width, height int64, dark bool) {
	t.tb.Helper()
	p := t.chromium()
	bound, cancel := context.WithTimeout(ctx, evalLimit)
	defer cancel()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	if _, err := act(bound, p, chromedp.EmulateViewport(width, height)); err != nil {
		t.tb.Fatalf("changing the size of the %s tab: %v", t.name, err)
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := act(bound, p, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, media)
		return err
	})); err != nil {
		t.tb.Fatalf("changing the colors of the %s tab: %v", t.name, err)
	}
}

// Picture is all of the page as PNG.
func (t *Tab) Picture(ctx context.Context) []byte {
	t.tb.Helper()
	p := t.chromium()
	bound, cancel := context.WithTimeout(ctx, evalLimit)
	defer cancel()
	png, err := act(bound, p, chromedp.FullScreenshot(100))
	if err != nil {
		t.tb.Fatalf("taking a picture of the %s tab: %v", t.name, err)
	}
	return png
}

func (t *Tab) chromium() *chromiumPage {
	t.tb.Helper()
	p, ok := t.page.(*chromiumPage)
	if !ok {
		t.tb.Fatalf("the %s tab is not in Chromium, which alone changes looks and takes pictures", t.name)
	}
	return p
}
