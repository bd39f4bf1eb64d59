package loader

import (
	"log/slog"
	"strconv"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

func TestRenditionsAreBounded(t *testing.T) {
	source, err := manifest.NewSource(manifest.SourceConfig{URL: "http://127.0.0.1:1/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Config{Source: source}, nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var all []manifest.Rendition
	for i := range 1000 {
		rendition := manifest.Rendition{}
		if i%2 == 0 {
			rendition.URI = "http://h/" + strconv.Itoa(i)
		}
		all = append(all, rendition)
	}
	kept := e.bounded(all)
	if len(kept) != MaxRenditions || kept[1].URI != "http://h/2" {
		t.Errorf("%d kept", len(kept))
	}
}
