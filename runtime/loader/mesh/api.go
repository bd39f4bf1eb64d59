package mesh

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// sctpMaxMessageSize is announced as a=max-message-size (RFC 8841 §6). Browsers assume the same when the
// line is absent; pion's own default of 1 GiB would invite messages that are not read.
const sctpMaxMessageSize = 65536

// ICE timing (RFC 7675 in spirit): a dead browser is given up after 12 s, a hiccup of some seconds is
// survived.
const (
	iceKeepalive    = 2 * time.Second
	iceDisconnected = 4 * time.Second
	iceFailed       = 8 * time.Second
	stunTimeout     = 2 * time.Second
)

// A lost burst is repaired within this time even on a path whose round trip was measured badly.
const sctpRTOMax = 10 * time.Second

// sctpMinCwnd is the least congestion window, and so the first, in bytes: ten packets, as in TCP (RFC 6928). With the four of
// RFC 9260 §7.2.1 the first segment of a page takes two round trips more, and the page then asks the origin for it.
const sctpMinCwnd = 10 * 1200

// seederReceive bounds what waits unread, or unfinished, on a connection of a seeder, in bytes. It only ever receives
// commands, and has many connections.
const seederReceive = 256 << 10

// engine makes connections; everything that may be shared between them is.
type engine struct {
	settings webrtc.SettingEngine
	// own are the settings of connections with ports of their own; settings is the same without a mux.
	own     webrtc.SettingEngine
	config  webrtc.Configuration
	mux     ice.UDPMux
	metrics *metrics
}

func newEngine(cfg NodeConfig, log *slog.Logger, m *metrics) (*engine, error) {
	// One certificate for all connections: making a key for each costs more than the handshake saves.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generating DTLS key: %w", err)
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, fmt.Errorf("generating DTLS certificate: %w", err)
	}
	plan, err := planAddresses(cfg)
	if err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{LoggerFactory: pionLogs{log: log}}
	settings.DetachDataChannels()
	settings.SetSCTPMaxMessageSize(sctpMaxMessageSize)
	settings.SetSCTPRTOMax(sctpRTOMax)
	settings.SetSCTPMinCwnd(sctpMinCwnd)
	// The cheapest suites that every browser speaks; the second is for ends with an RSA certificate.
	settings.SetDTLSCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
	// ICE has proved the return path already, so the cookie exchange (RFC 6347 §4.2.1) only costs a round trip.
	settings.SetDTLSInsecureSkipHelloVerify(true)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	settings.DisableActiveTCP(true)
	settings.SetICETimeouts(iceDisconnected, iceFailed, iceKeepalive)
	settings.SetSTUNGatherTimeout(stunTimeout)
	// The first pair that works is as good as any other here: no relays, one address a family, and a
	// browser behind a .local name only ever shows up as peer-reflexive.
	settings.SetHostAcceptanceMinWait(0)
	settings.SetSrflxAcceptanceMinWait(0)
	settings.SetPrflxAcceptanceMinWait(0)
	settings.SetIncludeLoopbackCandidate(cfg.Loopback)
	if err := settings.SetICEAddressRewriteRules(plan.rewrite...); err != nil {
		return nil, fmt.Errorf("setting advertised addresses: %w", err)
	}
	filter := &addressFilter{cfg: cfg}
	settings.SetIPFilter(filter.allows)

	e := &engine{metrics: m, own: settings, config: webrtc.Configuration{Certificates: []webrtc.Certificate{*cert}}}
	if len(cfg.ICEServers) > 0 && len(cfg.Advertise) == 0 {
		e.config.ICEServers = []webrtc.ICEServer{{URLs: cfg.ICEServers}}
	}
	if cfg.Listen != "" {
		if e.mux, err = newMux(cfg.Listen, plan.listen, pionLogs{log: log}, m); err != nil {
			return nil, err
		}
		settings.SetICEUDPMux(e.mux)
		settings.SetSCTPMaxReceiveBufferSize(seederReceive)
	}
	e.settings = settings
	return e, nil
}

// connection makes a connection, with a reach of its own, and if own is set with a port of its own.
func (e *engine) connection(own bool) (*webrtc.PeerConnection, error) {
	settings := e.settings
	if own {
		settings = e.own
	}
	settings.SetRemoteIPFilter(newReach(e.metrics).allows)
	api := webrtc.NewAPI(
		webrtc.WithSettingEngine(settings),
		webrtc.WithMediaEngine(&webrtc.MediaEngine{}),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}),
	)
	pc, err := api.NewPeerConnection(e.config)
	if err != nil {
		return nil, fmt.Errorf("creating connection: %w", err)
	}
	return pc, nil
}

func (e *engine) close() error {
	if e.mux == nil {
		return nil
	}
	if err := e.mux.Close(); err != nil {
		return fmt.Errorf("closing UDP mux: %w", err)
	}
	return nil
}
