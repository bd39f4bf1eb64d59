package history

import "time"

// Bounds of a Ring. What does not fit is summed under Other.
const (
	Span       = 24 * time.Hour   // how far it reaches back
	Fine       = time.Hour        // how far back in steps of FineStep
	FineStep   = 10 * time.Second // between samples
	CoarseStep = time.Minute      // of what is older than Fine

	MaxSites      = 64
	MaxRenditions = 8
	MaxName       = 128 // bytes of a name; what is longer is cut

	// Other is the name of the sum of what has no place of its own. No site is called so.
	Other = "…"
)

// Sample is what is known of a stream at one moment.
type Sample struct {
	At time.Time
	Counters

	Viewers, Seeders float64
	// Percentiles of what viewers waited lately; 0: no viewer has told.
	StartupP50, StartupP95, StallP95 time.Duration
	// Sites and Renditions are those with traffic, most important first: further ones may have to share a place.
	Sites      []Part
	Renditions []Part
}

// Counters only grow, until the program that counts ends.
type Counters struct {
	HTTP, Seeder, Viewer int64 // bytes that viewers received, by source
	Uploaded             int64 // bytes that viewers sent to viewers
	SeederHTTP           int64 // bytes that seeders took from the origin
	Stalls, StallMs      int64
}

func (c Counters) list() [counters]int64 {
	return [counters]int64{c.HTTP, c.Seeder, c.Viewer, c.Uploaded, c.SeederHTTP, c.Stalls, c.StallMs}
}

// since returns how much came after an earlier reading. Counters that are smaller began anew.
func (c Counters) since(before Counters) (out [counters]float64) {
	now, then := c.list(), before.list()
	for i := range now {
		if now[i] < then[i] {
			then = [counters]int64{}
			break
		}
	}
	for i := range now {
		out[i] = float64(max(0, now[i]-then[i]))
	}
	return out
}

// Since returns what came after an earlier reading.
func (c Counters) Since(before Counters) Counters {
	came := c.since(before)
	return Counters{HTTP: int64(came[sumHTTP]), Seeder: int64(came[sumSeeder]), Viewer: int64(came[sumViewer]), Uploaded: int64(came[sumUploaded]),
		SeederHTTP: int64(came[sumSeederHTTP]), Stalls: int64(came[sumStalls]), StallMs: int64(came[sumStallMs])}
}

// Plus returns the sums of two.
func (c Counters) Plus(d Counters) Counters {
	return Counters{HTTP: c.HTTP + d.HTTP, Seeder: c.Seeder + d.Seeder, Viewer: c.Viewer + d.Viewer, Uploaded: c.Uploaded + d.Uploaded,
		SeederHTTP: c.SeederHTTP + d.SeederHTTP, Stalls: c.Stalls + d.Stalls, StallMs: c.StallMs + d.StallMs}
}

// Part is a site or a rendition. Bytes are those since the sample before: a tracker knows rates of sites, and no counters.
type Part struct {
	Name     string
	Line     float64 // bytes that came over the line of a site
	Received float64 // bytes that viewers received
	OneCopy  float64 // bytes of what was played, each counted once
	Viewers  float64 // now
}
