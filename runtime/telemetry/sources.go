package telemetry

// Sources are media bytes that a peer received, by where they came from. Inside and outside are seen from the peer's site:
// the tracker tells it with each offer and answer whether the other side is in the same site.
type Sources struct {
	Origin        int64 `json:"origin,omitempty"`
	SeederInside  int64 `json:"seederInside,omitempty"`
	SeederOutside int64 `json:"seederOutside,omitempty"`
	ViewerInside  int64 `json:"viewerInside,omitempty"`
	ViewerOutside int64 `json:"viewerOutside,omitempty"`
}

// Seeder returns the bytes from seeders.
func (s Sources) Seeder() int64 { return addSaturating(s.SeederInside, s.SeederOutside) }

// Viewer returns the bytes from viewers.
func (s Sources) Viewer() int64 { return addSaturating(s.ViewerInside, s.ViewerOutside) }

// Received returns all bytes.
func (s Sources) Received() int64 {
	return addSaturating(s.Origin, addSaturating(s.Seeder(), s.Viewer()))
}

// Outside returns the bytes that came over the line of the site.
func (s Sources) Outside() int64 {
	return addSaturating(s.Origin, addSaturating(s.SeederOutside, s.ViewerOutside))
}

// Add returns the sum, each part stopping at the largest int64.
func (s Sources) Add(t Sources) Sources {
	return Sources{Origin: addSaturating(s.Origin, t.Origin),
		SeederInside: addSaturating(s.SeederInside, t.SeederInside), SeederOutside: addSaturating(s.SeederOutside, t.SeederOutside),
		ViewerInside: addSaturating(s.ViewerInside, t.ViewerInside), ViewerOutside: addSaturating(s.ViewerOutside, t.ViewerOutside)}
}

// Sub returns s − t, each part stopping at zero.
func (s Sources) Sub(t Sources) Sources {
	return Sources{Origin: subFloor(s.Origin, t.Origin),
		SeederInside: subFloor(s.SeederInside, t.SeederInside), SeederOutside: subFloor(s.SeederOutside, t.SeederOutside),
		ViewerInside: subFloor(s.ViewerInside, t.ViewerInside), ViewerOutside: subFloor(s.ViewerOutside, t.ViewerOutside)}
}

func (s Sources) scale(f float64) Sources { return s.scaleEach(f, f, f) }

// scaleEach scales what came from the origin, from seeders and from viewers.
func (s Sources) scaleEach(origin, seeder, viewer float64) Sources {
	part := func(v int64, f float64) int64 { return int64(float64(v) * f) }
	return Sources{Origin: part(s.Origin, origin), SeederInside: part(s.SeederInside, seeder), SeederOutside: part(s.SeederOutside, seeder),
		ViewerInside: part(s.ViewerInside, viewer), ViewerOutside: part(s.ViewerOutside, viewer)}
}

// valid reports whether each part is a value that a counter may have.
func (s Sources) valid() bool {
	for _, v := range [...]int64{s.Origin, s.SeederInside, s.SeederOutside, s.ViewerInside, s.ViewerOutside} {
		if !within(v, MaxCounter) {
			return false
		}
	}
	return true
}
