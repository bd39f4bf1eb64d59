package join

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// handout is what this program uses of a tracker's /v1/config.
type handout struct {
	StreamURL  string   `json:"streamURL"`
	SwarmID    string   `json:"swarmID"`
	Trackers   []string `json:"trackers"`
	ICEServers []struct {
		URLs []string `json:"urls"`
	} `json:"iceServers"`
	Settings struct {
		Core struct {
			P2PDisabled    bool `json:"isP2PDisabled"`
			UploadDisabled bool `json:"isP2PUploadDisabled"`
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
	Seeders int `json:"seeders"`
}

const (
	maxHandout     = 256 << 10 // bytes
	handoutTimeout = 5 * time.Second
)

// fetchHandout asks a tracker how to take part.
func fetchHandout(ctx context.Context, url string) (*handout, error) {
	ctx, cancel := context.WithTimeout(ctx, handoutTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("making request for viewer config: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetching viewer config: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // read to its end: nothing to learn from closing
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching viewer config from %s: status %s", url, resp.Status)
	}
	var h handout
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxHandout)).Decode(&h); err != nil {
		return nil, fmt.Errorf("decoding viewer config: %w", err)
	}
	if h.StreamURL == "" {
		return nil, fmt.Errorf("decoding viewer config from %s: it names no stream; is the tracker run with --stream-source?", url)
	}
	return &h, nil
}

func (h *handout) stun() []string {
	var out []string
	for _, s := range h.ICEServers {
		out = append(out, s.URLs...)
	}
	return out
}
