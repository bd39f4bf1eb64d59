package join

import (
	"context"
	"encoding/json"
	"errors"
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

	// Whoever answers for a tracker could point all viewers at whom he likes: each of these is asked by each viewer.
	maxTrackers = 8
	maxSTUN     = 4
	// maxLiveSync is far beyond any playlist's window.
	maxLiveSync = 10_000
	// leastReport is the least time between two reports.
	leastReport = time.Second
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
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxHandout+1))
	if err != nil {
		return nil, fmt.Errorf("fetching viewer config: %w", err)
	}
	h, err := decodeHandout(body)
	if err != nil {
		return nil, fmt.Errorf("decoding viewer config from %s: %w", url, err)
	}
	return h, nil
}

// decodeHandout reads what whoever answers for a tracker says.
func decodeHandout(body []byte) (*handout, error) {
	if len(body) > maxHandout {
		return nil, fmt.Errorf("it has more than %d bytes", maxHandout)
	}
	var h handout
	if err := json.Unmarshal(body, &h); err != nil {
		return nil, err
	}
	if h.StreamURL == "" {
		return nil, errors.New("it names no stream; is the tracker run with --stream-source?")
	}
	h.bound()
	return &h, nil
}

// bound takes what is within reason and leaves the rest.
func (h *handout) bound() {
	h.Trackers = h.Trackers[:min(len(h.Trackers), maxTrackers)]
	h.Settings.HLSJS.LiveSyncDurationCount = min(max(h.Settings.HLSJS.LiveSyncDurationCount, 0), maxLiveSync)
	if ms := h.Telemetry.IntervalMs; ms != 0 {
		h.Telemetry.IntervalMs = min(max(ms, leastReport.Milliseconds()), time.Hour.Milliseconds())
	}
}

func (h *handout) stun() []string {
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
