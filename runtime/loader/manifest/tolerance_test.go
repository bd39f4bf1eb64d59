package manifest

import (
	"testing"
	"time"
)

func TestDurationsBelowZero(t *testing.T) {
	p, err := ParseMedia(mediaText("#EXT-X-MEDIA-SEQUENCE:5", "#EXTINF:2,", "a.ts", "#EXTINF:-1.600,title", "b.ts", "#EXTINF:2,", "c.ts"), base, Rendition{})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Miscounted || len(p.Segments) != 3 || p.Window != 4*time.Second {
		t.Fatalf("%+v", p)
	}
	if b, c := p.Segments[1], p.Segments[2]; b.Duration != 0 || b.Sequence != 6 || c.Start != 2*time.Second || c.Sequence != 7 {
		t.Errorf("%+v, %+v", b, c)
	}
	plain, err := ParseMedia(mediaText("#EXTINF:0,", "a.ts"), base, Rendition{})
	if err != nil || plain.Miscounted {
		t.Errorf("%+v, %v", plain, err)
	}
}

func TestDurationsWithAttributes(t *testing.T) {
	for _, first := range []string{`#EXTINF:2.000 group="a",title`, "#EXTINF:2 ,", "#EXTINF:2.0\tx"} {
		p, err := ParseMedia(mediaText(first, "a.ts", "#EXTINF:2,", "b.ts"), base, Rendition{})
		if err != nil {
			t.Fatal(err)
		}
		if !p.Miscounted || len(p.Segments) != 2 || p.Window != 4*time.Second {
			t.Errorf("%s: %+v", first, p)
		}
	}
}

// TestWhatPlayersPassOver: hls.js reads on, and so does this.
func TestWhatPlayersPassOver(t *testing.T) {
	for name, lines := range map[string][]string{
		"a zero and then a sequence":     {"#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-MEDIA-SEQUENCE:5", "#EXTINF:4,", "a.ts"},
		"a skip that is no number":       {"#EXT-X-SKIP:SKIPPED-SEGMENTS=x", "#EXT-X-MEDIA-SEQUENCE:5", "#EXTINF:4,", "a.ts"},
		"a control that is no attribute": {"#EXT-X-SERVER-CONTROL:x", "#EXT-X-MEDIA-SEQUENCE:5", "#EXTINF:4,", "a.ts"},
	} {
		p, err := ParseMedia(mediaText(lines...), base, Rendition{})
		if err != nil || p.Segments[0].Sequence != 5 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestServerControl(t *testing.T) {
	for control, want := range map[string][2]bool{ // skip, block
		"CAN-SKIP-UNTIL=12.0":                                {true, false},
		"CAN-SKIP-UNTIL=0":                                   {},
		"CAN-SKIP-UNTIL=x":                                   {},
		"CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5":            {false, true},
		"CAN-BLOCK-RELOAD=NO":                                {},
		"HOLD-BACK=9,CAN-SKIP-UNTIL=24,CAN-BLOCK-RELOAD=YES": {true, true},
		`X="CAN-SKIP-UNTIL=12"`:                              {},
	} {
		p, err := ParseMedia(mediaText("#EXT-X-SERVER-CONTROL:"+control, "#EXTINF:4,", "a.ts"), base, Rendition{})
		if err != nil {
			t.Fatal(err)
		}
		if p.CanSkip != want[0] || p.CanBlock != want[1] {
			t.Errorf("%s: skip %v, block %v", control, p.CanSkip, p.CanBlock)
		}
	}
}
