package viewerapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/internal/redact"
	"github.com/p2pstream/p2pstream/internal/validate"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
)

// Config configures the handler. Zero values take the defaults in parentheses.
type Config struct {
	Stream    string `json:"stream,omitempty"`    // name of the stream in sessions, stats and metrics (SwarmID, else StreamURL)
	StreamURL string `json:"streamURL,omitempty"` // manifest that players open; empty: an open tracker without a stream
	SwarmID   string `json:"swarmID,omitempty"`   // empty: what an unconfigured player derives from StreamURL
	// SignedPaths are handed to viewers that keep segments by URL.
	SignedPaths []string `json:"signedPaths,omitempty"`
	// STUN lists servers as host:port or stun:host:port; viewers get those for which Dependencies.STUNReady returns true.
	STUN []string `json:"stun,omitempty"`
	// PrivateAccumulate accepts ?accumulate=1 only from callers of StatsHandler.
	PrivateAccumulate bool `json:"privateAccumulate,omitempty"`
	// TotalsKept acknowledges bytes to peers only after they were read with ?accumulate=1, from the first report on.
	TotalsKept bool `json:"totalsKept,omitempty"`
	// ExternalURL is the tracker's address as browsers see it, such as https://tracker.example.com. Empty: the scheme
	// and host of each request.
	ExternalURL string `json:"externalURL,omitempty"`
	// Path is where on the tracker the handler is mounted, such as /media/town-hall; empty: at the root. BasePath comes
	// before it, unless ExternalURL says what does.
	Path     string `json:"path,omitempty"`
	BasePath string `json:"basePath,omitempty"`
	// AllowedOrigins are the origins of pages that are answered, such as https://intranet.example.com; "*" or an empty
	// list is every origin. Requests without Origin need a credential, unless AllowNoOrigin is set.
	AllowedOrigins []string `json:"allowedOrigins,omitempty"`
	AllowNoOrigin  bool     `json:"allowNoOrigin,omitempty"`
	SeederToken    string   `json:"-"` // what seeders present as Bearer; empty: no report is accepted from a seeder
	SessionKey     []byte   `json:"-"` // signs tickets unless Dependencies.Keys is set (random: they end with the process)
	// TicketLifetime is how long a ticket is accepted (tickets.DefaultLifetime).
	TicketLifetime time.Duration `json:"ticketLifetime,omitempty"`

	// Settings are merged over the computed settings of /v1/config, as a JSON merge patch (RFC 7396): the stream's owner
	// can override every number.
	Settings json.RawMessage `json:"settings,omitempty"`

	Interval          time.Duration `json:"interval,omitempty"`          // between reports of a peer (5 s)
	Window            time.Duration `json:"window,omitempty"`            // of the windowed offload (60 s)
	MaxSessions       int           `json:"maxSessions,omitempty"`       // (100,000)
	MaxBitsPerSecond  int64         `json:"maxBitsPerSecond,omitempty"`  // highest rate that a viewer may report (100 Mbit/s)
	RequestsPerSecond float64       `json:"requestsPerSecond,omitempty"` // per client address (500; negative: no limit)
	RequestBurst      int           `json:"requestBurst,omitempty"`      // per client address (2,000)
	ReportsPerSecond  int           `json:"reportsPerSecond,omitempty"`  // of all viewers together (2,000)
	Dashboard         bool          `json:"dashboard,omitempty"`         // served to viewers too, and not only by Operator
	DisableUpload     bool          `json:"disableUpload,omitempty"`     // viewers only download from peers
	DisableP2P        bool          `json:"disableP2P,omitempty"`        // viewers use the origin alone
}

// Validate returns an error for the first invalid field.
func (c Config) Validate() error {
	if err := validate.First(
		validate.Optional("config.streamURL", c.StreamURL, validate.HTTP),
		validate.Optional("config.externalURL", c.ExternalURL, validate.BaseURL),
		validate.Each("config.stun", c.STUN, func(field, server string) error {
			return validate.STUN(field, "stun:"+strings.TrimPrefix(server, "stun:"))
		}),
		validate.Each("config.allowedOrigins", c.AllowedOrigins, validate.Origin),
		validate.JSONObject("config.settings", c.Settings, `{"core":{"highDemandTimeWindow":5}}`),
	); err != nil {
		return err
	}
	if len(c.SessionKey) > 0 && len(c.SessionKey) < tickets.MinKey {
		return fmt.Errorf("config.sessionKey: needs at least %d bytes", tickets.MinKey)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Stream == "" {
		c.Stream = c.SwarmID
	}
	if c.Stream == "" {
		c.Stream = redact.URL(c.StreamURL) // the query may hold a secret
	}
	if c.Interval <= 0 {
		c.Interval = 5 * time.Second
	}
	if c.Window <= 0 {
		c.Window = time.Minute
	}
	if c.RequestsPerSecond == 0 {
		c.RequestsPerSecond = 500
	}
	if c.ReportsPerSecond <= 0 {
		c.ReportsPerSecond = 2000
	}
	if c.TicketLifetime <= 0 {
		c.TicketLifetime = tickets.DefaultLifetime
	}
	if c.RequestBurst <= 0 {
		c.RequestBurst = 2000
	}
	return c
}
