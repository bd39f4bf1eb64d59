package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/internal/validate"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// settings are what this program uses of a tracker's /v1/config.
type settings struct {
	StreamURL  string   `json:"streamURL"`
	SwarmID    string   `json:"swarmID"`
	Trackers   []string `json:"trackers"`
	ICEServers []struct {
		URLs []string `json:"urls"`
	} `json:"iceServers"`
	Settings struct {
		Core struct {
			P2PDisabled     bool           `json:"isP2PDisabled"`
			UploadDisabled  bool           `json:"isP2PUploadDisabled"`
			MainStream      streamSettings `json:"mainStream"`
			SecondaryStream streamSettings `json:"secondaryStream"`
		} `json:"core"`
		HLSJS struct {
			LiveSyncDurationCount int `json:"liveSyncDurationCount"`
		} `json:"hlsjs"`
	} `json:"settings"`
	Telemetry struct {
		URL        string `json:"url"`
		IntervalMs int64  `json:"intervalMs"`
		Session    string `json:"session"`
	} `json:"telemetry"`
	Seeders     int      `json:"seeders"`
	SignedPaths []string `json:"signedPaths"`
}

// streamSettings are those of one type of rendition.
type streamSettings struct {
	P2PDisabled bool `json:"isP2PDisabled"`
}

// originOnly are the types of renditions that are not to be shared.
func (h *settings) originOnly() (types []identity.StreamType) {
	if h.Settings.Core.MainStream.P2PDisabled {
		types = append(types, identity.Main)
	}
	if h.Settings.Core.SecondaryStream.P2PDisabled {
		types = append(types, identity.Secondary)
	}
	return types
}

const (
	maxSettingsBytes = 256 << 10 // bytes
	settingsTimeout  = 5 * time.Second

	// A hostile tracker could direct all viewers at any host: each viewer connects to each of these.
	maxTrackers = 8
	maxSTUN     = 4
	// maxLiveSync is far beyond any playlist's window.
	maxLiveSync = 10_000
	// minReportInterval is the least time between two reports.
	minReportInterval = time.Second
)

// maxToken is the longest token that is sent, in bytes.
const maxToken = 16 << 10

// credentials adds what a tracker may want to see to a request.
func (c Config) credentials(header http.Header) error {
	header.Set("Origin", c.origin())
	if c.TokenFile == "" {
		return nil
	}
	token, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return fmt.Errorf("reading config.tokenFile: %w", err)
	}
	if len(token) > maxToken {
		return fmt.Errorf("reading config.tokenFile: more than %d bytes", maxToken)
	}
	header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	return nil
}

// origin returns the web origin to send.
func (c Config) origin() string {
	if c.Origin != "" {
		return c.Origin
	}
	u, err := url.Parse(c.ConfigURL)
	if err != nil { // Validate has parsed it before
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// fetchSettings asks a tracker for the settings of its stream.
func (c Config) fetchSettings(ctx context.Context) (*settings, error) {
	ctx, cancel := context.WithTimeout(ctx, settingsTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.ConfigURL, nil)
	if err != nil {
		return nil, fmt.Errorf("creating request for viewer settings: %w", err)
	}
	if err := c.credentials(req.Header); err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetching viewer settings: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // read to its end: nothing to learn from closing
	if resp.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 300)) // what could be read of it
		return nil, fmt.Errorf("fetching viewer settings from %s: status %s: %s", c.ConfigURL, resp.Status, strings.TrimSpace(string(why)))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSettingsBytes+1))
	if err != nil {
		return nil, fmt.Errorf("fetching viewer settings: %w", err)
	}
	h, err := decodeSettings(body)
	if err != nil {
		return nil, fmt.Errorf("decoding viewer settings from %s: %w", c.ConfigURL, err)
	}
	return h, nil
}

// decodeSettings reads the answer of a tracker, which may be hostile.
func decodeSettings(body []byte) (*settings, error) {
	if len(body) > maxSettingsBytes {
		return nil, fmt.Errorf("the answer has more than %d bytes", maxSettingsBytes)
	}
	var h settings
	if err := json.Unmarshal(body, &h); err != nil {
		return nil, err
	}
	if h.StreamURL == "" {
		return nil, errors.New("the answer names no stream; start the tracker with --stream-source")
	}
	h.bound()
	return &h, nil
}

// bound limits lists and numbers to reasonable values.
func (h *settings) bound() {
	h.Trackers = h.Trackers[:min(len(h.Trackers), maxTrackers)]
	if validate.SignedPaths("signedPaths", h.SignedPaths) != nil {
		h.SignedPaths = nil
	}
	h.Settings.HLSJS.LiveSyncDurationCount = min(max(h.Settings.HLSJS.LiveSyncDurationCount, 0), maxLiveSync)
	if ms := h.Telemetry.IntervalMs; ms != 0 {
		h.Telemetry.IntervalMs = min(max(ms, minReportInterval.Milliseconds()), time.Hour.Milliseconds())
	}
}

func (h *settings) stun() []string {
	var out []string
	for _, s := range h.ICEServers {
		for _, u := range s.URLs {
			if len(out) == maxSTUN {
				return out
			}
			out = append(out, u)
		}
	}
	return out
}
