package settings

import "time"

// Playlist is what the settings need to know of one media playlist.
type Playlist struct {
	Live           bool          // segments are still being added
	TargetDuration time.Duration // RFC 8216 §4.3.3.1; the longest segment when the playlist has none
	Segments       int           // number of segments listed
	Window         time.Duration // sum of their durations
	Edge           int64         // media sequence of the newest segment
}

// Known reports whether the playlist has been read at all.
func (p Playlist) Known() bool { return p.Segments > 0 && p.TargetDuration > 0 }

// Input is everything the settings depend on.
type Input struct {
	Playlist    Playlist
	SeedersHold bool // some seeder with room holds the stream now; see Holding
	UploadOff   bool // the stream's owner wants viewers to download only
	P2POff      bool // the stream's owner wants no peers at all, or the stream is not peerable
}

// Settings is the part of /v1/config that players take over as it stands.
type Settings struct {
	Core  Core  `json:"core"`
	HLSJS HLSJS `json:"hlsjs"`
	Shaka Shaka `json:"shaka"`
}

// Core is a part of the options of p2p-media-loader-core 2.2.2 to 4.x (its CoreConfig); times are seconds unless the
// name says milliseconds.
type Core struct {
	IsP2PDisabled                 bool    `json:"isP2PDisabled,omitempty"`
	IsP2PUploadDisabled           bool    `json:"isP2PUploadDisabled,omitempty"`
	SimultaneousHTTPDownloads     int     `json:"simultaneousHttpDownloads"`
	SimultaneousP2PDownloads      int     `json:"simultaneousP2PDownloads"`
	HighDemandTimeWindow          float64 `json:"highDemandTimeWindow"`
	HTTPDownloadTimeWindow        float64 `json:"httpDownloadTimeWindow"`
	P2PDownloadTimeWindow         float64 `json:"p2pDownloadTimeWindow"`
	HTTPDownloadInitialTimeoutMs  int     `json:"httpDownloadInitialTimeoutMs"` // ignored by core 2.2.2
	P2PNotReceivingBytesTimeoutMs int     `json:"p2pNotReceivingBytesTimeoutMs"`
	P2PErrorRetries               int     `json:"p2pErrorRetries"`
}

// HLSJS is a part of the options of hls.js 1.x; times are seconds. A zero value is left to the player.
type HLSJS struct {
	LiveSyncDurationCount       int     `json:"liveSyncDurationCount,omitempty"`
	LiveMaxLatencyDurationCount int     `json:"liveMaxLatencyDurationCount,omitempty"`
	MaxBufferLength             float64 `json:"maxBufferLength,omitempty"`
	MaxMaxBufferLength          float64 `json:"maxMaxBufferLength,omitempty"`
}

// Shaka holds the options of Shaka Player 4.x and those of the core that differ there.
type Shaka struct {
	Core      ShakaCore      `json:"core"`
	Manifest  ShakaManifest  `json:"manifest"`
	Streaming ShakaStreaming `json:"streaming"`
}

// ShakaCore overrides Core on pages with p2p-media-loader-shaka 2.2.2.
type ShakaCore struct {
	SimultaneousHTTPDownloads *int `json:"simultaneousHttpDownloads,omitempty"`
}

// ShakaManifest is Shaka's manifest section, times in seconds.
type ShakaManifest struct {
	DefaultPresentationDelay float64 `json:"defaultPresentationDelay,omitempty"`
}

// ShakaStreaming is Shaka's streaming section, times in seconds.
type ShakaStreaming struct {
	BufferingGoal   float64 `json:"bufferingGoal,omitempty"`
	RebufferingGoal float64 `json:"rebufferingGoal,omitempty"`
}
