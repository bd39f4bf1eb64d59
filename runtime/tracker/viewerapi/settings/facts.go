package settings

import "time"

// Playlist is what the settings need to know of one media playlist.
type Playlist struct {
	Live           bool          // segments are still being added
	Growing        bool          // no segment has left it yet, so that its final length is not known
	TargetDuration time.Duration // RFC 8216 §4.3.3.1
	Segments       int           // number of segments listed
	Window         time.Duration // sum of their durations
	Edge           int64         // media sequence of the newest segment
}

// Known reports whether the playlist has been read at all.
func (p Playlist) Known() bool { return p.Segments > 0 && p.TargetDuration > 0 }

// UDP is what is known about UDP in a viewer's network.
type UDP string

// A viewer's first request has UDPUnknown. A viewer that has connected to a peer before, or has failed to, can report
// that when it requests its configuration.
const (
	UDPUnknown UDP = ""
	UDPWorks   UDP = "works"
	UDPBlocked UDP = "blocked"
)

// Input is everything the settings depend on.
type Input struct {
	Playlist    Playlist
	SeedersHold bool // seeders with room hold the stream now; see Holding
	UDP         UDP
	UploadOff   bool // the stream's owner wants viewers to download only
	InSite      bool // the viewer is in a site, whose line may be thin
	P2POff      bool // the stream's owner wants no peers, or the stream cannot be shared
	// MainOff and SecondaryOff: renditions of that type cannot be shared, but those of the other can.
	MainOff, SecondaryOff bool
}
