package browser

import "encoding/json"

// Config is the viewer's configuration, in the form of the answer to GET /v1/config.
type Config struct {
	V          int             `json:"v"`
	StreamURL  string          `json:"streamURL"`
	SwarmID    string          `json:"swarmID,omitempty"`
	Trackers   []string        `json:"trackers"`
	ICEServers []ICEServer     `json:"iceServers"` // never null: an absent list means the library's public servers
	Settings   Settings        `json:"settings"`
	Telemetry  json.RawMessage `json:"telemetry,omitempty"`
}

// ICEServer is one entry of a browser's iceServers.
type ICEServer struct {
	URLs []string `json:"urls"`
}

// Settings are the players' own options, by the names they have there.
type Settings struct {
	Core  map[string]any `json:"core,omitempty"`
	HLSJS map[string]any `json:"hlsjs,omitempty"`
	Shaka map[string]any `json:"shaka,omitempty"`
}

// tabConfig is the configuration of one tab, with the viewer's.
type tabConfig struct {
	Player     string         `json:"player"`
	Config     *Config        `json:"config,omitempty"`
	ConfigURL  string         `json:"configURL,omitempty"`
	Level      *int           `json:"level,omitempty"`
	Reporter   string         `json:"reporter,omitempty"`
	Core       map[string]any `json:"core,omitempty"`
	HLSJS      map[string]any `json:"hlsjs,omitempty"`
	Shaka      map[string]any `json:"shaka,omitempty"`
	InfoHash   string         `json:"infoHash,omitempty"`
	PeerID     string         `json:"peerID,omitempty"`
	Trackers   []string       `json:"trackers,omitempty"`
	ICEServers []ICEServer    `json:"iceServers,omitempty"`
	NumWant    int            `json:"numWant,omitempty"`
	SDK        *SDKPage       `json:"sdk,omitempty"`
	Trace      bool           `json:"trace,omitempty"`
	Entrance   string         `json:"entrance,omitempty"`
}

// SDKPage is a page that plays with the viewer SDK.
type SDKPage struct {
	URL       string   `json:"url"`                 // of the stream on the entrance
	Source    string   `json:"source,omitempty"`    // manifest; empty: the one that the entrance names
	Attach    bool     `json:"attach,omitempty"`    // the page makes the player, and needs a source
	OwnPlayer bool     `json:"ownPlayer,omitempty"` // the page has hls.js and no engine
	Without   []string `json:"without,omitempty"`   // what the browser lacks, such as RTCPeerConnection
}

// TabOption changes what one tab does beyond its config.
type TabOption func(*tabConfig)

// WithLevel pins the rendition: the index in the player's order, from the lowest bit rate.
func WithLevel(level int) TabOption { return func(c *tabConfig) { c.Level = &level } }

// WithReporter loads the tracker's reporter script from url and attaches it to the engine.
func WithReporter(url string) TabOption { return func(c *tabConfig) { c.Reporter = url } }

// WithCore sets p2p-media-loader core options over those of the config.
func WithCore(options map[string]any) TabOption { return func(c *tabConfig) { c.Core = options } }

// WithPlayerOf makes a page load hls.js from the entrance of a stream once it is asked to play, as pages of the SDK may.
func WithPlayerOf(url string) TabOption { return func(c *tabConfig) { c.Entrance = url } }

// WithTrace fills Report.Steps.
func WithTrace(c *tabConfig) { c.Trace = true }

// WithHLSJS sets hls.js options over those of the config.
func WithHLSJS(options map[string]any) TabOption { return func(c *tabConfig) { c.HLSJS = options } }

// WithShaka sets Shaka Player options over those of the config.
func WithShaka(options map[string]any) TabOption { return func(c *tabConfig) { c.Shaka = options } }
