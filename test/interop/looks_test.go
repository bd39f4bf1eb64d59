package interop

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// violation is one of axe-core's.
type violation struct {
	ID    string
	Help  string
	Nodes []struct{ HTML, FailureSummary string }
}

// checkLooks has axe-core look at a page in all sizes and colors: it can be read by everyone (WCAG 2.1 AA, as far as axe-core
// can tell). Nothing may be wider than the screen. With P2PSTREAM_PICTURES it writes pictures into that folder.
func checkLooks(t *testing.T, tab *browser.Tab, name string) {
	t.Helper()
	ctx := t.Context()
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("reading axe-core: %v; run: make interop", err)
	}
	tab.Eval(ctx, string(axe)+"\n;document.activeElement?.blur()")
	for width, size := range map[int64]string{390: "phone", 1440: "wide"} {
		for dark, color := range map[bool]string{false: "light", true: "dark"} {
			tab.Look(ctx, width, 900, dark)
			lab.Eventually(t, 10*time.Second, "the page to have its size", func() bool {
				return browser.Value[bool](ctx, tab, fmt.Sprintf(`innerWidth === %d && matchMedia("(prefers-color-scheme: dark)").matches === %t`, width, dark))
			})
			look := fmt.Sprintf("%s-%s-%s", name, size, color)
			if folder := os.Getenv("P2PSTREAM_PICTURES"); folder != "" {
				if err := os.WriteFile(filepath.Join(folder, look+".png"), small(t, tab.Picture(ctx)), 0o600); err != nil {
					t.Error(err)
				}
			}
			if wide := browser.Value[float64](ctx, tab, `document.documentElement.scrollWidth`); int64(wide) > width {
				t.Errorf("%s: the page is %v pixels wide", look, wide)
			}
			found := browser.Value[[]violation](ctx, tab, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}).then((r) => {
				if (r.passes.length < 10) throw Error("axe looked at " + r.passes.length + " rules");
				return r.violations.map((v) => ({id: v.id, help: v.help, nodes: v.nodes.map((n) => ({html: n.html, failureSummary: n.failureSummary}))}));
			})`)
			for _, v := range found {
				t.Errorf("%s: %s: %s: %+v", look, v.ID, v.Help, v.Nodes)
			}
		}
	}
}

// small makes a picture of a page smaller, for documentation: at most 100 KiB, with as many colors as fit.
func small(t *testing.T, picture []byte) []byte {
	t.Helper()
	const most, fewest = 100 << 10, 32
	full := lab.Must[image.Image](t)(png.Decode(bytes.NewReader(picture)))
	for colors := 256; ; colors /= 2 {
		var b bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, withColors(full, colors)); err != nil {
			t.Fatalf("encoding a picture: %v", err)
		}
		if b.Len() <= most || colors <= fewest {
			return b.Bytes()
		}
	}
}

// withColors is a picture in its n most frequent colors, but for the first few those that are not nearly alike, and the nearest of these for others.
func withColors(full image.Image, n int) image.Image {
	const alike = 3 * 10 * 10 // as the square of a distance
	const exact = 24          // backgrounds and texts, which may be nearly alike
	bounds, seen := full.Bounds(), map[color.RGBA]int{}
	each := func(do func(x, y int, c color.RGBA)) {
		for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
			for x := bounds.Min.X; x < bounds.Max.X; x++ {
				do(x, y, color.RGBAModel.Convert(full.At(x, y)).(color.RGBA))
			}
		}
	}
	each(func(_, _ int, c color.RGBA) { seen[c]++ })
	var palette color.Palette
	for _, c := range slices.SortedFunc(maps.Keys(seen), func(a, b color.RGBA) int { return seen[b] - seen[a] }) {
		if len(palette) < min(n, exact) || len(palette) < n && !slices.ContainsFunc(palette, func(p color.Color) bool { return distance(p.(color.RGBA), c) < alike }) {
			palette = append(palette, c)
		}
	}
	nearest, out := map[color.RGBA]uint8{}, image.NewPaletted(bounds, palette)
	each(func(x, y int, c color.RGBA) {
		i, known := nearest[c]
		if !known {
			i = uint8(palette.Index(c))
			nearest[c] = i
		}
		out.SetColorIndex(x, y, i)
	})
	return out
}

func distance(a, b color.RGBA) int {
	square := func(x, y uint8) int { return (int(x) - int(y)) * (int(x) - int(y)) }
	return square(a.R, b.R) + square(a.G, b.G) + square(a.B, b.B)
}
