package stats

import "github.com/p2pstream/p2pstream/runtime/telemetry"

// MaxSites is how many sites an answer has figures of, and MaxSiteRenditions how many renditions each of them. The rest is
// summed as telemetry.OtherSite and telemetry.OtherRendition.
const (
	MaxSites          = 200
	MaxSiteRenditions = 16
)

// Site is what came over the line of a site, and what was played there, in the window of Offload. All bytes are media bytes.
// Ratios are null while they are not known, and for what is not one place: no site, or the sum of several.
type Site struct {
	Name string `json:"name"` // empty: addresses outside of all sites; telemetry.OtherSite: the sum of further sites
	// Viewers is the larger of the reporting sessions and the viewer sockets, Reporting the sessions that report, and Telling
	// those of them that tell where their bytes came from. Of sessions that do not tell it, bytes from seeders count as from
	// outside, and bytes from viewers as from inside.
	Viewers   int `json:"viewers"`
	Reporting int `json:"reporting"`
	Telling   int `json:"telling"`
	// Alone are the sessions that take all from the origin, because peering is off at their address. A site where that is so
	// for all of them has no copies: they are not meant to share.
	Alone int `json:"alone,omitempty"`
	// Window is what viewers received, and Seeders what seeders at the site did.
	Window  telemetry.Sources `json:"window"`
	Seeders telemetry.Sources `json:"seeders"`
	// OneCopyBytes is what one copy of the renditions that were played has.
	OneCopyBytes int64 `json:"oneCopyBytes"`
	// Copies is how many times what was played came over the line.
	Copies *float64 `json:"copies"`
	// LineBitsPerSecond is the rate at which media bytes came over the line.
	LineBitsPerSecond int64 `json:"lineBitsPerSecond"`
	// Achieved is the share of what viewers received that came from inside; Achievable what it is if all comes once over the
	// line and no seeder is inside: 1 − 1/n for n viewers of a rendition.
	Achieved   *float64        `json:"achieved"`
	Achievable *float64        `json:"achievable"`
	Offload    *float64        `json:"offload"` // share of the bytes that did not come from the origin
	Renditions []SiteRendition `json:"renditions,omitempty"`
}

// SiteRendition is the part of one rendition: what viewers received, seeders left out.
type SiteRendition struct {
	Name         string            `json:"name"` // empty: of viewers that do not tell renditions
	Viewers      int               `json:"viewers"`
	Window       telemetry.Sources `json:"window"`
	OneCopyBytes int64             `json:"oneCopyBytes"`
	Copies       *float64          `json:"copies"`
}
