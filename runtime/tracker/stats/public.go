package stats

// Public is what GET Path answers to callers that present no seeder token: what the player page shows. The rest names
// seeders, swarms and their sizes, servers and problems, and is for those who run the stream. Its fields are named as those
// of Stats.
type Public struct {
	Version      int           `json:"v"`
	ViewersKnown bool          `json:"viewersKnown"`
	Viewers      int           `json:"viewers"`
	Seeders      int           `json:"seeders"`
	Offload      PublicOffload `json:"offload"`
}

// PublicOffload is the part of Offload that is public. The ratios are between 0 and 1, and null if nothing was received.
type PublicOffload struct {
	WindowSeconds float64  `json:"windowSeconds"`
	WindowRatio   *float64 `json:"windowRatio"`
	TotalRatio    *float64 `json:"totalRatio"`
}

// Public returns the public part.
func (s Stats) Public() Public {
	return Public{Version: s.Version, ViewersKnown: s.ViewersKnown, Viewers: s.Viewers, Seeders: s.Seeders, Offload: PublicOffload{
		WindowSeconds: s.Offload.WindowSeconds, WindowRatio: s.Offload.WindowRatio, TotalRatio: s.Offload.TotalRatio}}
}
