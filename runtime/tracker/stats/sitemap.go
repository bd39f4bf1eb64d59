package stats

// SiteMap describes the map of sites that a tracker uses.
type SiteMap struct {
	Sites            int `json:"sites"`            // with entries; those of a mask are not counted
	Prefixes         int `json:"prefixes"`         // in force
	IgnoredLines     int `json:"ignoredLines"`     // of the file, because they cannot be used
	ShadowedPrefixes int `json:"shadowedPrefixes"` // without effect, because an earlier site holds them
	// FirstIgnored is the first line that is ignored; nil: none is.
	FirstIgnored *SiteLine `json:"firstIgnored,omitempty"`
	// Problem says why the file cannot be used, and Detail more of it; empty: it can be, or there is none.
	Problem SiteMapProblem `json:"problem,omitempty"`
	Detail  string         `json:"detail,omitempty"`
}

// SiteLine is a line of the file of sites and what is wrong with it.
type SiteLine struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

// SiteMapProblem is why a file of sites cannot be used.
type SiteMapProblem string

// The problems.
const (
	SiteMapMissing    SiteMapProblem = "Missing"
	SiteMapUnreadable SiteMapProblem = "Unreadable"
)
