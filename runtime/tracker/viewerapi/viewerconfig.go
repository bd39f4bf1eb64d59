package viewerapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi/settings"
)

// ViewerConfig is the answer of GET /v1/config: all the settings that a viewer needs.
type ViewerConfig struct {
	Version    int                  `json:"v"` // 1
	StreamURL  string               `json:"streamURL"`
	Format     string               `json:"format"`  // HLS: play it with hls.js; DASH: with Shaka Player
	SwarmID    string               `json:"swarmID"` // empty: the player derives it from the stream's URL
	Trackers   []string             `json:"trackers"`
	ICEServers []settings.ICEServer `json:"iceServers"`
	Settings   settings.Settings    `json:"settings"`
	Telemetry  ViewerTelemetry      `json:"telemetry"`
	Seeders    int                  `json:"seeders"` // that hold the stream now and accept connections
	// Site is the name of the site that the viewer is in; empty: none. P2POff says why the viewer is told not to use P2P,
	// if that is because of the site.
	Site   string `json:"site,omitempty"`
	P2POff string `json:"p2pOff,omitempty"`
	// SignedPaths are starts of URL paths in which an asterisk stands for what a signature changes. Pages do not need them.
	SignedPaths []string `json:"signedPaths,omitempty"`
}

// ViewerTelemetry says how a viewer reports.
type ViewerTelemetry struct {
	URL        string `json:"url"`
	ConfigURL  string `json:"configURL"` // where to get another session when this one has expired
	IntervalMs int64  `json:"intervalMs"`
	Session    string `json:"session"` // the ticket, which the announce URL carries too
	// Guarded says that viewers need a token: hashes are given for a ticket only.
	Guarded bool `json:"guarded,omitempty"`
}

// serveConfig answers with the current settings. With ?udp=works or ?udp=blocked the viewer reports what it has found out
// about its own network.
func (h *Handler) serveConfig(w http.ResponseWriter, r *http.Request) {
	const path = configPath
	base := h.base(r)
	if base.Host == "" {
		h.fail(w, path, http.StatusBadRequest, "", "the Host header is not a valid host name")
		return
	}
	if h.cfg.StreamURL == "" {
		h.fail(w, path, http.StatusNotFound, "", "this tracker is not configured with a stream; start it with --stream-source")
		return
	}
	h.refresh(r.Context())
	now := h.deps.Now()
	ticket, err := h.deps.Keys().Issue(h.cfg.Stream, r.Header.Get("Origin"), h.cfg.TicketLifetime, now, h.deps.Random)
	if err != nil {
		h.log.Error("issuing ticket", "error", err)
		h.fail(w, path, http.StatusInternalServerError, "", "internal")
		return
	}
	facts := h.facts()
	hold := h.currentHolding(now)
	site := h.site(h.client(r))
	in := settings.Input{Playlist: facts.Playlist, SeedersHold: hold.enough, UploadOff: h.cfg.DisableUpload || site.Peering == sites.ReceiveOnly,
		InSite: site.Name != "", MainOff: facts.MainOff, SecondaryOff: facts.SecondaryOff,
		P2POff: h.cfg.DisableP2P || facts.doubtful(now) || site.Peering == sites.Off}
	if udp := settings.UDP(r.URL.Query().Get("udp")); udp == settings.UDPWorks || udp == settings.UDPBlocked {
		in.UDP = udp
	}
	web := base
	base.Scheme = strings.Replace(base.Scheme, "http", "ws", 1)
	out := ViewerConfig{Version: 1, StreamURL: h.cfg.StreamURL, Format: formatOf(facts, h.cfg.StreamURL), SwarmID: h.swarmID(facts), Settings: settings.For(in),
		Trackers: []string{base.String() + "/announce?t=" + ticket}, ICEServers: h.iceServers(), Seeders: hold.seeders, SignedPaths: h.cfg.SignedPaths,
		Site: site.Name, P2POff: peeringOff(site),
		Telemetry: ViewerTelemetry{URL: web.String() + "/v1/telemetry", ConfigURL: web.String() + path,
			IntervalMs: h.nextReport().Milliseconds(), Session: ticket, Guarded: h.deps.Token != nil}}
	if token := viewerToken(r); out.Telemetry.Guarded && token != "" {
		out.Telemetry.ConfigURL += "?" + url.Values{"token": {token}}.Encode()
	}
	// Repeated inside the core's options, so that a page can pass them to the library unchanged.
	out.Settings.Core.SwarmID = out.SwarmID
	out.Settings.Core.AnnounceTrackers = out.Trackers
	out.Settings.Core.RTCConfig.ICEServers = out.ICEServers
	if len(h.cfg.Settings) == 0 {
		h.reply(w, path, http.StatusOK, out)
		return
	}
	patched, err := patchSettings(out, h.cfg.Settings, site)
	if err != nil { // cannot happen: Validate has parsed the patch
		h.log.Error("merging settings", "error", err)
		h.fail(w, path, http.StatusInternalServerError, "", "internal")
		return
	}
	h.reply(w, path, http.StatusOK, patched)
}

// formatOf is the format of the stream. While the stream has not been read, the name in its URL tells.
func formatOf(f Facts, streamURL string) string {
	if f.Format != "" {
		return f.Format
	}
	if u, err := url.Parse(streamURL); err == nil && strings.EqualFold(path.Ext(u.Path), ".mpd") {
		return dash.Format
	}
	return manifest.FormatHLS
}

// patchSettings returns the answer with a merge patch applied to its settings, within the policy of a site.
func patchSettings(c ViewerConfig, patch json.RawMessage, site *sites.Site) (any, error) {
	var settings, changes map[string]any
	if err := json.Unmarshal(patch, &changes); err != nil {
		return nil, err
	}
	b, err := json.Marshal(c.Settings)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &settings); err != nil {
		return nil, err
	}
	merged := merge(settings, changes)
	enforce(merged, site)
	return struct {
		ViewerConfig
		Settings any `json:"settings"`
	}{c, merged}, nil
}

// merge applies a JSON merge patch (RFC 7396 §2).
func merge(target any, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	for name, value := range changes {
		if value == nil {
			delete(object, name)
		} else {
			object[name] = merge(object[name], value)
		}
	}
	return object
}

// iceServers returns only servers that answer, or may do so for viewers alone: a STUN server that does not answer delays every
// announce of a browser by five seconds.
func (h *Handler) iceServers() []settings.ICEServer {
	given := h.stunReady
	if h.deps.STUNGiven != nil {
		given = h.deps.STUNGiven
	}
	servers := []settings.ICEServer{}
	for _, s := range h.stunServers() {
		if !given(s) {
			continue
		}
		if !strings.HasPrefix(s, "stun:") {
			s = "stun:" + s
		}
		servers = append(servers, settings.ICEServer{URLs: []string{s}})
	}
	return servers
}

func (h *Handler) stunServers() []string {
	if h.deps.STUN != nil {
		return h.deps.STUN()
	}
	return h.cfg.STUN
}

func (h *Handler) stunReady(server string) bool {
	return h.deps.STUNReady == nil || h.deps.STUNReady(server)
}

func (h *Handler) facts() Facts {
	if h.deps.Facts == nil {
		return Facts{}
	}
	return h.deps.Facts.Facts()
}

func (h *Handler) swarmID(f Facts) string {
	if f.SwarmID != "" {
		return f.SwarmID
	}
	return h.cfg.SwarmID
}

// refresh makes the facts as new as a page needs that joins now.
func (h *Handler) refresh(ctx context.Context) {
	if f, ok := h.deps.Facts.(Refresher); ok {
		result := "known"
		if !f.Refresh(ctx) {
			result = "late"
		}
		h.metrics.refreshes.WithLabelValues(result).Inc()
	}
}

// doubtful tells whether it has been open for long whether a new event began. Peers of the old one may hold other
// segments under the numbers that a page would ask for.
func (f Facts) doubtful(now time.Time) bool {
	return !f.DoubtSince.IsZero() && now.Sub(f.DoubtSince) >= doubtWait
}

// holding is the result of settings.Holding, with the time of its computation.
type holding struct {
	at      time.Time
	seeders int
	enough  bool
}

func (h *Handler) currentHolding(now time.Time) holding {
	facts := h.facts()
	h.mu.Lock()
	defer h.mu.Unlock()
	if age := now.Sub(h.holding.at); age >= 0 && age < cacheTime {
		return h.holding
	}
	in := settings.HoldingInput{Playlist: facts.Playlist, ReadAt: facts.At, Seeders: h.aggregate.Seeders(now)}
	for _, r := range facts.Renditions {
		if r.Type == "main" {
			in.Renditions = append(in.Renditions, r.Name)
		}
	}
	h.holding = holding{at: now}
	h.holding.seeders, h.holding.enough = settings.Holding(in)
	return h.holding
}
