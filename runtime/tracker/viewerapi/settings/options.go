package settings

// Settings is the part of /v1/config that pages pass to their player unchanged.
type Settings struct {
	Core  Core  `json:"core"`
	HLSJS HLSJS `json:"hlsjs"`
	Shaka Shaka `json:"shaka"`
	// Runtime is what the reporter script changes while a page plays. A page without the script keeps the values of Core, which
	// are safe without it.
	Runtime Runtime `json:"runtime"`
}

// Core is a part of the options of p2p-media-loader-core 2.2.2 to 4.x (its CoreConfig). Windows are seconds of media.
type Core struct {
	IsP2PDisabled                bool      `json:"isP2PDisabled,omitempty"`
	IsP2PUploadDisabled          bool      `json:"isP2PUploadDisabled,omitempty"`
	SimultaneousHTTPDownloads    int       `json:"simultaneousHttpDownloads"`
	SimultaneousP2PDownloads     int       `json:"simultaneousP2PDownloads"`
	HTTPDownloadInitialTimeoutMs int       `json:"httpDownloadInitialTimeoutMs"` // core 2.2.2 ignores it
	SwarmID                      string    `json:"swarmId,omitempty"`
	AnnounceTrackers             []string  `json:"announceTrackers,omitempty"`
	RTCConfig                    RTCConfig `json:"rtcConfig"`
	Windows
	// MainStream and SecondaryStream override the options above for one type of rendition; absent: they do not.
	MainStream      *StreamOptions `json:"mainStream,omitempty"`
	SecondaryStream *StreamOptions `json:"secondaryStream,omitempty"`
}

// StreamOptions is a part of the library's StreamConfig.
type StreamOptions struct {
	IsP2PDisabled bool `json:"isP2PDisabled"`
}

// Windows are the three time windows of the library, in seconds ahead of the playhead. A window holds a segment that
// starts inside it.
type Windows struct {
	HighDemand float64 `json:"highDemandTimeWindow"`   // HTTP at once, even over a running download from a peer
	HTTP       float64 `json:"httpDownloadTimeWindow"` // HTTP at random, where no peer has or fetches the segment
	P2P        float64 `json:"p2pDownloadTimeWindow"`  // from peers
}

// RTCConfig is the WebRTC configuration. It is set even without servers, since the library's default uses public
// third-party STUN servers.
type RTCConfig struct {
	ICEServers []ICEServer `json:"iceServers"`
	// ICECandidatePoolSize is how many components a browser gathers candidates for before the offer is set (JSEP, RFC 8829
	// §3.5.4): with 1 it begins when the connection is made.
	ICECandidatePoolSize int `json:"iceCandidatePoolSize,omitempty"`
}

// ICEServer is one entry of RTCConfiguration.iceServers (W3C WebRTC).
type ICEServer struct {
	URLs []string `json:"urls"`
}

// HLSJS is a part of the options of hls.js 1.x. For a zero value the player's default applies.
type HLSJS struct {
	LiveSyncDurationCount int     `json:"liveSyncDurationCount,omitempty"` // target durations behind the edge
	MaxBufferLength       float64 `json:"maxBufferLength,omitempty"`       // seconds
	MaxMaxBufferLength    float64 `json:"maxMaxBufferLength,omitempty"`    // seconds
	TestBandwidth         *bool   `json:"testBandwidth,omitempty"`

	PlaylistLoadPolicy PlaylistLoadPolicy `json:"playlistLoadPolicy"`
}

// PlaylistLoadPolicy is how hls.js loads media playlists, again and again while live.
type PlaylistLoadPolicy struct {
	Default LoadPolicy `json:"default"`
}

// LoadPolicy is hls.js's LoaderConfig.
type LoadPolicy struct {
	MaxTimeToFirstByteMs int         `json:"maxTimeToFirstByteMs"`
	MaxLoadTimeMs        int         `json:"maxLoadTimeMs"`
	TimeoutRetry         RetryPolicy `json:"timeoutRetry"`
	ErrorRetry           RetryPolicy `json:"errorRetry"`
}

// RetryPolicy is hls.js's RetryConfig.
type RetryPolicy struct {
	MaxNumRetry     int    `json:"maxNumRetry"`
	RetryDelayMs    int    `json:"retryDelayMs"`
	MaxRetryDelayMs int    `json:"maxRetryDelayMs"`
	Backoff         string `json:"backoff"`
}

// Shaka holds the options of Shaka Player 4.x, for player.configure. The engine sets a presentation delay of its own
// when it is bound, so a page applies these after bindShakaPlayer.
type Shaka struct {
	Manifest  ShakaManifest  `json:"manifest"`
	Streaming ShakaStreaming `json:"streaming"`
}

// ShakaManifest is Shaka's manifest section.
type ShakaManifest struct {
	DefaultPresentationDelay float64   `json:"defaultPresentationDelay,omitempty"` // seconds behind the edge
	DASH                     ShakaDASH `json:"dash,omitzero"`
}

// ShakaDASH is Shaka's section for MPDs.
type ShakaDASH struct {
	// IgnoreSuggestedDelay makes DefaultPresentationDelay count in the place of what the MPD suggests.
	IgnoreSuggestedDelay bool `json:"ignoreSuggestedPresentationDelay,omitempty"`
}

// ShakaStreaming is Shaka's streaming section.
type ShakaStreaming struct {
	BufferingGoal float64 `json:"bufferingGoal,omitempty"` // seconds
}

// Runtime is for the reporter script.
type Runtime struct {
	// NoPeerMs is how long HTTP waits while no seeder has connected, PeerMs after one has. Zero: do not wait.
	NoPeerMs int `json:"noPeerMs,omitempty"`
	PeerMs   int `json:"peerMs,omitempty"`
	// FirstPeerMs takes the place of NoPeerMs where the script has seen that UDP passes; zero: it does not.
	FirstPeerMs int `json:"firstPeerMs,omitempty"`
	// StartMs bounds both for pages of the SDK, which know when they were asked to play: counted from then, the first segment
	// is asked of the origin at the latest. Zero: no such bound.
	StartMs int `json:"startMs,omitempty"`
	// The windows of Core are replaced by these as seeders connect and leave; absent: they stay.
	WithSeeders    *Windows `json:"withSeeders,omitempty"`
	WithoutSeeders *Windows `json:"withoutSeeders,omitempty"`
}
