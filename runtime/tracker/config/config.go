// Package config holds the tracker's configuration and nothing else, so that programs which write one, such as the
// operator, need not import the tracker.
package config

import (
	"encoding/json"

	"github.com/p2pstream/p2pstream/internal/duration"
)

// Config is the tracker's configuration, as flags or as a JSON file. Zero values get defaults in New.
type Config struct {
	// Listen is where viewers and seeders connect, host:port. Default ":8000".
	Listen string `json:"listen,omitempty"`
	// InternalListen is a second listener with the same endpoints, host:port, always without TLS: for seeders and other
	// clients inside the cluster, which need not know the name and certificate under which viewers reach the tracker.
	// Empty means none.
	InternalListen string `json:"internalListen,omitempty"`
	// AdminListen serves /metrics, /healthz, /readyz, /v1/stats and the dashboard, host:port; empty means no admin listener.
	AdminListen string `json:"adminListen,omitempty"`
	// OperatorsFile is a JSON list of hashes ("sha256:" and 64 hexadecimal digits) of the tokens with which operators ask the admin listener
	// for what changes the tracker: totals that count as kept from then on, and arrivals. It is read again when it changes. While the list
	// is empty, and without a file, all who reach the listener may, except with Streams, where the tokens of its TokenFile are asked for.
	OperatorsFile string `json:"operatorsFile,omitempty"`
	// Dashboard shows the dashboard of each stream to everyone who reaches Listen or InternalListen, with the names of sites. A
	// stream with viewerTokens shows it to who has a seeder token. The admin listener has it in any case.
	Dashboard bool `json:"dashboard,omitempty"`
	// Pprof adds /debug/pprof/ to the admin listener.
	Pprof bool `json:"pprof,omitempty"`
	// TLSCert and TLSKey are PEM files; both or none. They are read again when they change.
	TLSCert string `json:"tlsCert,omitempty"`
	TLSKey  string `json:"tlsKey,omitempty"`
	// AllowedOrigins are the web origins ("https://video.example.com") whose pages may connect; empty means
	// all, and so does "*". The tracker's own pages are allowed under the name in stream.externalURL, or if that is not
	// set, under an IP address or localhost. If origins are listed, requests without Origin, which browsers' pages do not
	// send to other sites, are refused unless they carry a ticket, a viewer token or the seeder token.
	AllowedOrigins []string `json:"allowedOrigins,omitempty"`
	// AllowNoOrigin accepts requests that have neither an Origin nor a credential, although there is a stream or origins are
	// listed.
	AllowNoOrigin bool `json:"allowNoOrigin,omitempty"`
	// CandidateRanges are the addresses, as CIDR ranges, that candidates in relayed session descriptions may have; others
	// are left out. Empty means all. Link-local and multicast addresses are always left out, and so are names other than
	// those in .local, which browsers hide their addresses behind.
	CandidateRanges []string `json:"candidateRanges,omitempty"`
	// AllowLoopbackCandidates relays candidates at loopback addresses, for peers on the tracker's machine. A tracker that
	// listens only on loopback addresses does so without it.
	AllowLoopbackCandidates bool `json:"allowLoopbackCandidates,omitempty"`
	// ClientAddress says how the tracker learns the addresses of its clients.
	ClientAddress ClientAddressConfig `json:"clientAddress,omitzero"`
	// Sites are the places in the network that viewers are in; nil: they are all in one.
	Sites *SitesConfig `json:"sites,omitempty"`
	// Stream is the stream that this tracker serves; nil, without Streams, makes an open tracker for any info hash.
	Stream *StreamConfig `json:"stream,omitempty"`
	// Streams makes the tracker serve many streams, which come and go while it runs.
	Streams *StreamsConfig `json:"streams,omitempty"`
	// BasePath comes before all paths, such as /ecdn: for an entrance that leads requests here by a prefix. Requests without it
	// are answered too, since some proxies remove it.
	BasePath string `json:"basePath,omitempty"`
	// SeederToken, or a line of SeederTokenFile (read again when it changes), is what a seeder presents as
	// `Authorization: Bearer` on the WebSocket upgrade. Without either, no client is accepted as a seeder. The first line
	// of the file is the current token; further lines are accepted too, for a rotation with overlap.
	SeederToken     string `json:"seederToken,omitempty"`
	SeederTokenFile string `json:"seederTokenFile,omitempty"`
	// SessionKey, or a line of SessionKeyFile (read again when it changes), signs the tickets of viewers, 16 bytes or more;
	// the first line signs, further ones are accepted. A file that does not exist is created with a random key. If
	// neither is set, keys are derived from the seeder tokens, or without these one is random, so that tickets end with
	// a restart.
	SessionKey     string `json:"sessionKey,omitempty"`
	SessionKeyFile string `json:"sessionKeyFile,omitempty"`
	// AnnounceInterval bounds the announce interval that peers are given.
	AnnounceInterval IntervalConfig `json:"announceInterval,omitzero"`
	// Peering shapes the meshes.
	Peering PeeringConfig `json:"peering,omitzero"`
	// Limits bounds the memory and work that clients can cause.
	Limits LimitsConfig `json:"limits,omitzero"`
	// DrainPeriod is over how long sockets are closed when the program ends. Default 3 s.
	DrainPeriod Duration `json:"drainPeriod,omitzero"`
	// Shards is how many goroutines share the swarms, at most MaxShards. Default: the number of usable CPUs, at most 8.
	Shards int `json:"shards,omitempty"`
}

// MaxShards is the highest number of shards: the tracker notes in 64 bits which shards know a socket.
const MaxShards = 64

// MaxGateways is the highest number of gateways of a site, and LeastCellSize the lowest size of a cell: the viewers of a
// smaller one would have few peers.
const (
	MaxGateways   = 64
	LeastCellSize = 10
)

// LeastHeldBytes is the lowest value of LimitsConfig.HeldBytes: less would be used up by a few long messages.
const LeastHeldBytes = 1 << 20

// LeastHistoryBytes is the lowest value of LimitsConfig.HistoryBytes.
const LeastHistoryBytes = 1 << 20

// StreamConfig is the stream that a tracker serves.
type StreamConfig struct {
	// SourceURL is the manifest URL that players open.
	SourceURL string `json:"sourceURL,omitempty"`
	// SeederURL is where seeders and the tracker itself fetch the manifest, if not from SourceURL.
	SeederURL string `json:"seederURL,omitempty"`
	// Format is that of the manifest: HLS, DASH, or Auto (the default), which finds it in the manifest itself.
	Format string `json:"format,omitempty"`
	// Generations are those of the browser library whose swarms are served: v2.2, v2.3, v3. Default v2.2 and v2.3.
	Generations []string `json:"generations,omitempty"`
	// SwarmID is the name of the swarm; if empty, it is what an unconfigured player derives from the manifest URL.
	SwarmID string `json:"swarmID,omitempty"`
	// STUN are STUN servers for viewers, "stun:host:port".
	STUN []string `json:"stun,omitempty"`
	// STUNFile is a JSON list of further ones, read again when it changes.
	STUNFile string `json:"stunFile,omitempty"`
	// HeadersDir holds one file for each header that the manifest is fetched with: the file is named like the header and
	// contains the value. The headers are sent only to the scheme, host and port of the manifest's URL. CAFile is a PEM
	// file with the certificate authorities of the origin, instead of the system's. Both are read again when they change.
	HeadersDir string `json:"headersDir,omitempty"`
	CAFile     string `json:"caFile,omitempty"`
	// SignedPaths are starts of URL paths in which an asterisk stands for one element that a signature changes, such as
	// /token/*/: segments whose URLs differ there only are the same. A query is known for a signature without this.
	SignedPaths []string `json:"signedPaths,omitempty"`
	// ExternalURL is the tracker's http(s) URL as viewers reach it, if it differs from the host of their requests.
	ExternalURL string `json:"externalURL,omitempty"`
	// AnySwarm accepts viewers' announces for every info hash. Otherwise only the stream's are accepted, and those that
	// seeders have announced, which also know them while the origin cannot be read.
	AnySwarm bool `json:"anySwarm,omitempty"`
	// Tickets says what viewers present when they open a WebSocket.
	Tickets TicketsConfig `json:"tickets,omitzero"`
	// ViewerTokens, if set, are required by /v1/config.
	ViewerTokens *TokensConfig `json:"viewerTokens,omitempty"`
	// Settings override the computed player settings: JSON that is merged over "settings" of /v1/config.
	Settings json.RawMessage `json:"settings,omitempty"`
	// DisableP2P tells players to use only the origin, DisableUpload to download from peers without uploading.
	DisableP2P    bool `json:"disableP2P,omitempty"`
	DisableUpload bool `json:"disableUpload,omitempty"`
	// TotalsKept says that a reader (the operator) stores the totals across restarts by reading
	// /v1/stats?accumulate=1: bytes are acknowledged to peers only after they were stored.
	TotalsKept bool `json:"totalsKept,omitempty"`
	// TelemetryInterval is how often viewers report. Default 5 s.
	TelemetryInterval Duration `json:"telemetryInterval,omitzero"`
}

// TicketsConfig says how viewers prove that they have their settings from /v1/config, which puts a ticket into the announce
// URL.
type TicketsConfig struct {
	// Optional accepts WebSockets without a ticket, for pages whose announce URL is written down somewhere.
	Optional bool `json:"optional,omitempty"`
	// Lifetime is how long a ticket is accepted. Default 36 h, at most 30 days. An open WebSocket is not closed by it.
	Lifetime Duration `json:"lifetime,omitzero"`
}

// TokensConfig says which JSON Web Tokens (RFC 7519) viewers present to /v1/config, as `Authorization: Bearer` or ?token=.
type TokensConfig struct {
	// KeysDir holds one file for each key or key set, read again when it changes: NAME.pem is a public key or certificate
	// (RS, PS, ES or EdDSA), NAME.jwks or NAME.json a JSON Web Key Set (RFC 7517), NAME.key a secret of at least 32 bytes
	// for HS256. NAME is the key's id (`kid`), except in a set, which has its own. Tokens without an id are compared with
	// every key.
	KeysDir string `json:"keysDir"`
	// Issuer and Audience are what `iss` and `aud` must say; empty: not checked.
	Issuer   string `json:"issuer,omitempty"`
	Audience string `json:"audience,omitempty"`
	// ClockSkew is by how much clocks may differ. Default 30 s, at most 10 min.
	ClockSkew Duration `json:"clockSkew,omitzero"`
}

// IntervalConfig bounds the announce interval, which adapts to how many peers a viewer has.
type IntervalConfig struct {
	// Min is the interval of a viewer without peers. Default 7 s.
	Min Duration `json:"min,omitzero"`
	// Max is the interval of a viewer that has all the peers it needs. Default 90 s.
	Max Duration `json:"max,omitzero"`
}

// PeeringConfig shapes the meshes: how many seeders and viewers the tracker introduces a viewer to.
type PeeringConfig struct {
	// Seeders is how many seeders a viewer is introduced to. Default 2.
	Seeders int `json:"seeders,omitempty"`
	// Peers is how many connections a viewer needs; with them the announce interval is at its longest. Default 8.
	Peers int `json:"peers,omitempty"`
	// MaxPeers is how many connections a viewer gets. Default 20.
	MaxPeers int `json:"maxPeers,omitempty"`
	// SeederPeers is how many connections a seeder gets if it has not reported a limit. Default 200.
	SeederPeers int `json:"seederPeers,omitempty"`
	// Gateways is how many viewers of a site are introduced to peers outside of it, for each rendition, unless the site says
	// otherwise; at most 64. Default 3.
	Gateways int `json:"gateways,omitempty"`
	// CellSize is how many viewers of one site may meet, for each rendition. A site with more is split into cells, each with
	// gateways of its own: one more copy of the stream enters the site for each cell. At least 10. Default 1,000.
	CellSize int `json:"cellSize,omitempty"`
}

// LimitsConfig limits the load that clients can cause. Zero fields get the defaults; −1 lifts a limit where documented.
type LimitsConfig struct {
	// MessageBytes is the longest message; a longer one closes the socket. Default 65,536.
	MessageBytes int `json:"messageBytes,omitempty"`
	// OffersPerAnnounce; further ones are ignored. Default 10.
	OffersPerAnnounce int `json:"offersPerAnnounce,omitempty"`
	// ScrapeHashes in one scrape. Default 64.
	ScrapeHashes int `json:"scrapeHashes,omitempty"`
	// SwarmsPerSocket and IDsPerSocket. Defaults 64 and 64.
	SwarmsPerSocket int `json:"swarmsPerSocket,omitempty"`
	IDsPerSocket    int `json:"idsPerSocket,omitempty"`
	// IDsPerSwarm is how many peer ids one socket may have in one swarm. A page has one, and takes a new one each time
	// that it reloads its manifest; then the oldest is removed. Default 4.
	IDsPerSwarm int `json:"idsPerSwarm,omitempty"`
	// SocketsPerAddress, −1 for no limit (behind a NAT of the cluster all viewers have one address), which also disables
	// all unset per-address limits. Seeders do not count. Default 10,000.
	SocketsPerAddress int `json:"socketsPerAddress,omitempty"`
	// SocketsPerTicket is how many WebSockets may be open with one ticket. A page has one. Default 64.
	SocketsPerTicket int `json:"socketsPerTicket,omitempty"`
	// Sockets in total. Default 50,000.
	Sockets int `json:"sockets,omitempty"`
	// Connections that are not WebSockets, in total and of one address (−1 for no limit, the default if
	// SocketsPerAddress is −1): HTTP requests, and clients that have not sent a request yet. Further ones are closed at
	// once; above half of the limit, connections are closed after each request. Defaults 16,384, and an eighth of that.
	Connections           int `json:"connections,omitempty"`
	ConnectionsPerAddress int `json:"connectionsPerAddress,omitempty"`
	// AddressConnectionsPerSecond are new connections of one address, −1 for no limit (the default if SocketsPerAddress
	// is −1), and AddressConnectionBurst those at once. Further ones are closed at once. Defaults 1,000 and 4,000.
	AddressConnectionsPerSecond int `json:"addressConnectionsPerSecond,omitempty"`
	AddressConnectionBurst      int `json:"addressConnectionBurst,omitempty"`
	// Swarms in total; those of the stream and those created by seeders are exempt. Default 20,000.
	Swarms int `json:"swarms,omitempty"`
	// PeersPerSwarm. Default 50,000.
	PeersPerSwarm int `json:"peersPerSwarm,omitempty"`
	// MessagesPerSecond of one viewer's socket over time, and MessageBurst at once; a seeder may send 20 times as
	// many. Messages above are ignored; a client that is ten bursts above loses its socket. Defaults 50 and 200.
	MessagesPerSecond int `json:"messagesPerSecond,omitempty"`
	MessageBurst      int `json:"messageBurst,omitempty"`
	// PendingOffers are offers that were relayed within the last minute and may still be answered; further ones are not
	// relayed. Default 500,000.
	PendingOffers int `json:"pendingOffers,omitempty"`
	// OffersPerSecond that are relayed to one viewer over time, from all peers together; at once up to 1.5 times
	// peering.maxPeers. Default 2. A seeder gets half its connection limit a second, and twice the limit at once.
	OffersPerSecond int `json:"offersPerSecond,omitempty"`
	// BytesPerSecond that one viewer may send over time, and ByteBurst at once; a seeder may send 20 times as many. More
	// closes the socket. Defaults 262,144 and 4,194,304.
	BytesPerSecond int `json:"bytesPerSecond,omitempty"`
	ByteBurst      int `json:"byteBurst,omitempty"`
	// UpgradesPerSecond of all clients together, and UpgradeBurst at once. Defaults 2,000 and 4,000.
	UpgradesPerSecond int `json:"upgradesPerSecond,omitempty"`
	UpgradeBurst      int `json:"upgradeBurst,omitempty"`
	// AddressUpgradesPerSecond of one address, −1 for no limit (the default if SocketsPerAddress is −1), and
	// AddressUpgradeBurst at once. Defaults: half of the limits of all clients together.
	AddressUpgradesPerSecond int `json:"addressUpgradesPerSecond,omitempty"`
	AddressUpgradeBurst      int `json:"addressUpgradeBurst,omitempty"`
	// RequestsPerSecond over HTTP of one address, −1 for no limit (the default if SocketsPerAddress is −1), and
	// RequestBurst at once. Defaults 500 and 2,000.
	RequestsPerSecond int `json:"requestsPerSecond,omitempty"`
	RequestBurst      int `json:"requestBurst,omitempty"`
	// ReportsPerSecond of all viewers together: viewers are told to report less often, so that they stay below it, and
	// reports over HTTP above it are refused. Default 2,000.
	ReportsPerSecond int `json:"reportsPerSecond,omitempty"`
	// Sessions whose reports are remembered; the one that has been silent longest is dropped first. Default 100,000.
	Sessions int `json:"sessions,omitempty"`
	// SendQueueBytes may be queued for one slow viewer, and 4 times as many for a seeder. More closes the socket.
	// Default 262,144.
	SendQueueBytes int `json:"sendQueueBytes,omitempty"`
	// HeldBytes is how much memory all sockets together may hold for unfinished and unhandled messages, queued frames and
	// read buffers. Above it, those that hold most are closed; no further socket is accepted while what idle sockets hold
	// is above three quarters of it. Default: 24 KiB for each of Sockets, or half of the memory that the process may
	// use if that is known and less.
	HeldBytes int `json:"heldBytes,omitempty"`
	// HistoryBytes is how much memory the histories of all streams together may take, which the dashboards show. Above it, the
	// largest ones get longer steps, those of streams without viewers first. Default: 64 MiB, or an eighth of the memory
	// that the process may use if that is known and less.
	HistoryBytes int `json:"historyBytes,omitempty"`
	// MessageTimeout is how long a message may take from its first byte to its last one. Default 10 s.
	MessageTimeout Duration `json:"messageTimeout,omitzero"`
	// WriteTimeout is how long one write to a socket may take. Default 10 s.
	WriteTimeout Duration `json:"writeTimeout,omitzero"`
	// PingInterval of sockets; below the 60 s after which proxies close idle connections. Default 25 s. A socket that
	// receives nothing for two intervals and 5 s is closed.
	PingInterval Duration `json:"pingInterval,omitzero"`
	// FirstMessageTimeout closes sockets whose client has never sent a message. Default 1 min.
	FirstMessageTimeout Duration `json:"firstMessageTimeout,omitzero"`
	// IdleTimeout closes sockets whose client answers pings but sends no message. Default 5 min.
	IdleTimeout Duration `json:"idleTimeout,omitzero"`
}

// Duration is a string like "7s" in JSON.
type Duration = duration.Duration
