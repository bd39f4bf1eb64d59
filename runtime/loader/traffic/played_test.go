package traffic

import (
	"fmt"
	"sync"
	"testing"
)

func TestPlayed(t *testing.T) {
	var r Recorder
	video, audio := r.Rendition("720p"), r.Rendition("audio")
	video.Count(FromHTTP, Outside, 1)
	video.Count(FromSeeder, Inside, 2)
	video.Count(FromSeeder, Outside, 3)
	video.Count(FromViewer, Inside, 4)
	r.Rendition("720p").Count(FromViewer, Outside, 5)
	audio.Count(FromHTTP, Outside, 6)
	(*Rendition)(nil).Count(FromHTTP, Outside, 1)
	want := []Played{{"720p", 1, 2, 3, 4, 5}, {"audio", 6, 0, 0, 0, 0}}
	got := r.Played()
	if fmt.Sprint(got) != fmt.Sprint(want) || got[0].Add(got[1]).Received() != 21 {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestRenditionsAreBounded: names of a manifest that changes all the time do not add up.
func TestRenditionsAreBounded(t *testing.T) {
	var r Recorder
	var work sync.WaitGroup
	for w := range 4 {
		work.Go(func() {
			for i := range maxNamed {
				r.Rendition(fmt.Sprint(w, " ", i)).Count(FromHTTP, Outside, 1)
				r.Played()
			}
		})
	}
	work.Wait()
	var sum int64
	for _, p := range r.Played() {
		sum += p.Received()
	}
	if n := len(r.Played()); n != maxNamed || sum != 4*maxNamed {
		t.Errorf("%d renditions, %d bytes", n, sum)
	}
}
