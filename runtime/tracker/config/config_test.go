package config

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestJSONSaysOnlyWhatIsSet keeps the ConfigMaps made of it short and stable.
func TestJSONSaysOnlyWhatIsSet(t *testing.T) {
	for want, cfg := range map[string]Config{
		`{}`: {},
		`{"listen":":8000","internalListen":":8001","adminListen":":9090","tlsCert":"/tls/tls.crt","tlsKey":"/tls/tls.key",` +
			`"stream":{"sourceURL":"https://o.example/m.m3u8","stunFile":"/c/stun.json","headersDir":"/headers",` +
			`"caFile":"/ca/ca.crt","telemetryInterval":"5s"},"seederTokenFile":"/token/token","limits":{"socketsPerAddress":-1}}`: {
			Listen: ":8000", InternalListen: ":8001", AdminListen: ":9090", TLSCert: "/tls/tls.crt", TLSKey: "/tls/tls.key",
			Stream: &StreamConfig{SourceURL: "https://o.example/m.m3u8", STUNFile: "/c/stun.json",
				HeadersDir: "/headers", CAFile: "/ca/ca.crt", TelemetryInterval: Duration(5 * time.Second)},
			SeederTokenFile: "/token/token", Limits: LimitsConfig{SocketsPerAddress: -1},
		},
	} {
		got, err := json.Marshal(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestValidateNamesTheField opens no file: the configuration is also validated where the files do not exist.
func TestValidateNamesTheField(t *testing.T) {
	stream := func(change func(*StreamConfig)) Config {
		s := &StreamConfig{SourceURL: "https://o.example/m.m3u8"}
		change(s)
		return Config{Stream: s}
	}
	for want, cfg := range map[string]Config{
		"config.listen:":                            {Listen: "8000"},
		"config.basePath:":                          {BasePath: "/a/../b"},
		"config.stream, config.streams:":            {Stream: &StreamConfig{SourceURL: "http://o.example/m.m3u8"}, Streams: &StreamsConfig{}},
		"config.streams.file:":                      {Streams: &StreamsConfig{TokenFile: "/t"}},
		"config.streams.tokenFile:":                 {Streams: &StreamsConfig{File: "/f"}},
		"config.adminListen: is":                    {Streams: &StreamsConfig{File: "/f", TokenFile: "/t"}},
		"config.streams.stun[0]:":                   {AdminListen: ":9090", Streams: &StreamsConfig{File: "/f", TokenFile: "/t", STUN: []string{"x"}}},
		"config.streams.externalURL:":               {AdminListen: ":9090", Streams: &StreamsConfig{File: "/f", TokenFile: "/t", ExternalURL: "x"}},
		"config.internalListen:":                    {InternalListen: "8001"},
		"config.adminListen:":                       {AdminListen: "9090"},
		"config.allowedOrigins[0]:":                 {AllowedOrigins: []string{"https://h/path"}},
		"config.drainPeriod:":                       {DrainPeriod: -1},
		"config.limits.writeTimeout:":               {Limits: LimitsConfig{WriteTimeout: -1}},
		"config.limits.idleTimeout:":                {Limits: LimitsConfig{IdleTimeout: -1}},
		"config.stream.sourceURL:":                  stream(func(s *StreamConfig) { s.SourceURL = "" }),
		"config.stream.seederURL:":                  stream(func(s *StreamConfig) { s.SeederURL = "o.example" }),
		"config.stream.externalURL:":                stream(func(s *StreamConfig) { s.ExternalURL = "https://t.example/?a" }),
		"config.stream.stun[0]:":                    stream(func(s *StreamConfig) { s.STUN = []string{"turn:t.example"} }),
		"config.sessionKey:":                        {SessionKey: "short"},
		"config.sessionKey, config.sessionKeyFile:": {SessionKey: "0123456789abcdef", SessionKeyFile: "/k"},
		"config.limits.socketsPerTicket:":           {Limits: LimitsConfig{SocketsPerTicket: -1}},
		"config.limits.reportsPerSecond:":           {Limits: LimitsConfig{ReportsPerSecond: -1}},
		"config.stream.tickets.lifetime:":           stream(func(s *StreamConfig) { s.Tickets.Lifetime = 1 }),
		"config.stream.tickets.optional:": stream(func(s *StreamConfig) {
			s.Tickets.Optional, s.ViewerTokens = true, &TokensConfig{KeysDir: "/keys"}
		}),
		"config.stream.viewerTokens.keysDir:": stream(func(s *StreamConfig) { s.ViewerTokens = &TokensConfig{} }),
		"config.stream.viewerTokens.clockSkew:": stream(func(s *StreamConfig) {
			s.ViewerTokens = &TokensConfig{KeysDir: "/keys", ClockSkew: -1}
		}),
		"config.stream.telemetryInterval:":     stream(func(s *StreamConfig) { s.TelemetryInterval = -1 }),
		"config.stream.settings:":              stream(func(s *StreamConfig) { s.Settings = json.RawMessage("[]") }),
		"config.limits.messageTimeout:":        {Limits: LimitsConfig{MessageTimeout: -1}},
		"config.limits.heldBytes:":             {Limits: LimitsConfig{HeldBytes: 1000}},
		"config.limits.historyBytes:":          {Limits: LimitsConfig{HistoryBytes: 1000}},
		"config.shards: -1 is outside 1 to 64": {Shards: -1},
		"config.shards: 65 is outside 1 to 64": {Shards: 65},
		"config.candidateRanges[1]:":           {CandidateRanges: []string{"10.0.0.0/8", "10.0.0.1"}},
	} {
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s named", err, want)
		}
	}
	files := stream(func(s *StreamConfig) { s.STUNFile, s.HeadersDir, s.CAFile = "/nowhere", "/nowhere", "/nowhere" })
	files.TLSCert, files.TLSKey, files.SeederTokenFile = "/nowhere", "/nowhere", "/nowhere"
	if err := files.Validate(); err != nil {
		t.Errorf("files that are elsewhere: %v", err)
	}
}

func TestLoopbackCandidatesWhereOnlyThisMachineConnects(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want bool
	}{
		{Config{}.WithDefaults(1), false},
		{Config{Listen: "127.0.0.1:8000"}, true},
		{Config{Listen: "localhost:8000"}, true},
		{Config{Listen: "[::1]:8000", InternalListen: "127.0.0.2:8001"}, true},
		{Config{Listen: "127.0.0.1:8000", InternalListen: ":8001"}, false},
		{Config{Listen: "0.0.0.0:8000"}, false},
		{Config{Listen: "0.0.0.0:8000", AllowLoopbackCandidates: true}, true},
	} {
		if got := c.cfg.LoopbackCandidates(); got != c.want {
			t.Errorf("%s, %s: %v", c.cfg.Listen, c.cfg.InternalListen, got)
		}
	}
}

// TestOneAddressForAll: behind a NAT of the cluster no limit per address may hold.
func TestOneAddressForAll(t *testing.T) {
	l := Config{Limits: LimitsConfig{SocketsPerAddress: -1}}.WithDefaults(1).Limits
	if l.ConnectionsPerAddress != -1 || l.AddressConnectionsPerSecond != -1 || l.AddressUpgradesPerSecond != -1 || l.RequestsPerSecond != -1 {
		t.Errorf("%+v", l)
	}
	l = Config{Limits: LimitsConfig{SocketsPerAddress: -1, RequestsPerSecond: 7}}.WithDefaults(1).Limits
	if l.RequestsPerSecond != 7 || l.ConnectionsPerAddress != -1 {
		t.Errorf("%+v", l)
	}
}

// TestOneAddressCannotFillASwarm, nor take all connections or upgrades, with the limits that there are by default.
func TestOneAddressCannotFillASwarm(t *testing.T) {
	l := Config{}.WithDefaults(1).Limits
	if l.SocketsPerAddress*l.IDsPerSwarm >= l.PeersPerSwarm {
		t.Errorf("%d sockets of one address, each with %d ids, are a whole swarm of %d", l.SocketsPerAddress, l.IDsPerSwarm, l.PeersPerSwarm)
	}
	if 2*l.ConnectionsPerAddress > l.Connections || 2*l.AddressUpgradesPerSecond > l.UpgradesPerSecond || 2*l.AddressUpgradeBurst > l.UpgradeBurst {
		t.Errorf("one address has more than half: %+v", l)
	}
}
