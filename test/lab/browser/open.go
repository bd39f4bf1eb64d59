package browser

import (
	"context"
	"time"
)

// OpenHLS plays cfg with hls.js and p2p-media-loader-hlsjs.
func (b *Browser) OpenHLS(ctx context.Context, cfg Config, opts ...TabOption) *Tab {
	b.tb.Helper()
	return b.open(ctx, "hls", tabConfig{Player: "hls", Config: &cfg}, opts)
}

// OpenShaka plays cfg with Shaka Player and p2p-media-loader-shaka.
func (b *Browser) OpenShaka(ctx context.Context, cfg Config, opts ...TabOption) *Tab {
	b.tb.Helper()
	return b.open(ctx, "shaka", tabConfig{Player: "shaka", Config: &cfg}, opts)
}

// OpenHLSFrom plays with hls.js, with the configuration that the page itself fetches from a tracker.
func (b *Browser) OpenHLSFrom(ctx context.Context, configURL string, opts ...TabOption) *Tab {
	b.tb.Helper()
	return b.open(ctx, "hls", tabConfig{Player: "hls", ConfigURL: configURL}, opts)
}

// OpenShakaFrom plays with Shaka, with the configuration that the page itself fetches from a tracker.
func (b *Browser) OpenShakaFrom(ctx context.Context, configURL string, opts ...TabOption) *Tab {
	b.tb.Helper()
	return b.open(ctx, "shaka", tabConfig{Player: "shaka", ConfigURL: configURL}, opts)
}

// OpenSDK plays with the viewer SDK.
func (b *Browser) OpenSDK(ctx context.Context, page SDKPage, opts ...TabOption) *Tab {
	b.tb.Helper()
	return b.open(ctx, "sdk", tabConfig{Player: "sdk", SDK: &page}, opts)
}

// OpenPlain plays streamURL with hls.js and no P2P at all.
func (b *Browser) OpenPlain(ctx context.Context, streamURL string, opts ...TabOption) *Tab {
	b.tb.Helper()
	return b.open(ctx, "hls", tabConfig{Player: "plain", Config: &Config{V: 1, StreamURL: streamURL}}, opts)
}

// OpenTrackerClient joins a swarm with the published bittorrent-tracker client, which sends a message to every
// peer. infoHash and peerID are 20 characters each.
func (b *Browser) OpenTrackerClient(ctx context.Context, tracker, infoHash, peerID string) *Tab {
	b.tb.Helper()
	return b.open(ctx, "tracker", tabConfig{
		Player: "tracker", Config: &Config{V: 1}, Trackers: []string{tracker}, InfoHash: infoHash, PeerID: peerID,
	}, nil)
}

// OpenURL opens any page, such as a tracker's /player. Its Report is empty unless it fills
// window.report.
func (b *Browser) OpenURL(ctx context.Context, url string) *Tab {
	b.tb.Helper()
	return b.openURL(ctx, "page", url)
}

// OpenBlank opens a page that does nothing, of the same origin as the others.
func (b *Browser) OpenBlank(ctx context.Context) *Tab {
	b.tb.Helper()
	return b.openURL(ctx, "blank", b.pages.base+blankPath)
}

func (b *Browser) open(ctx context.Context, page string, c tabConfig, opts []TabOption) *Tab {
	b.tb.Helper()
	for _, opt := range opts {
		opt(&c)
	}
	tab := b.openURL(ctx, c.Player, b.pages.add(page, c))
	tab.WaitFor(ctx, 20*time.Second, "the page to run", func(r Report) bool { return r.Ready || len(r.Errors) > 0 })
	return tab
}

func (b *Browser) openURL(ctx context.Context, name, url string) *Tab {
	b.tb.Helper()
	bound, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	p, err := b.driver.open(bound)
	if err != nil {
		b.tb.Fatalf("opening a tab: %v", err)
	}
	tab := &Tab{tb: b.tb, name: name, url: url, page: p}
	b.tb.Cleanup(tab.Close)
	if err := tab.navigate(ctx, url); err != nil {
		b.tb.Fatalf("opening %s: %v", url, err)
	}
	return tab
}
