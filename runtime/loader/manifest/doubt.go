package manifest

import "time"

const (
	// overdueTenths is after how many tenths of a target duration without a new segment the answer "not modified" is doubted: no
	// playlist may stand still for longer. Source: RFC 8216 §6.2.1.
	overdueTenths = 15
	// longestDoubt and longestRest bound the time between two looks at a live playlist that stands still, and at one that has ended.
	longestDoubt = 30 * time.Second
	longestRest  = 5 * time.Minute
	// maxUntrue is how many times "not modified" may turn out untrue before no request is conditional any more. Once may be chance:
	// the new segment may have come between the two requests.
	maxUntrue = 2
)

// doubt decides when a follower asks for the whole playlist although it knows validators: origins and caches exist that answer
// "not modified" for ever, and such that use one ETag for every text.
type doubt struct {
	denied   bool          // the origin said "not modified" since the last news
	from     time.Duration // of standing still; from then on the next load is a whole one; 0: from the first doubt on
	untrue   int           // times in a row
	distrust string        // why no request is conditional; empty: they are
}

// whole tells whether the next load asks for everything, when the playlist has had no new segment for still.
func (d *doubt) whole(still, target time.Duration) bool {
	return d.distrust != "" || (d.denied && still > max(d.from, target*overdueTenths/10))
}

// unchanged notes that the origin said so.
func (d *doubt) unchanged() { d.denied = true }

// loaded notes a text that came: at a whole load or not, with a new segment or other news, and under the ETag of the last text or not.
func (d *doubt) loaded(whole, news, sameTag, live bool, still time.Duration) {
	switch {
	case d.distrust != "":
	case news && sameTag:
		d.distrust = tagReused
	case news && whole && d.denied:
		if d.untrue++; d.untrue >= maxUntrue {
			d.distrust = tagUntrue
		}
	case news:
		d.untrue = 0
	}
	if news {
		d.denied, d.from = false, 0
		return
	}
	rest := longestDoubt
	if !live {
		rest = longestRest
	}
	d.from = still + min(max(still, shortestPoll), rest)
}
