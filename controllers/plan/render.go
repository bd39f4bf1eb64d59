package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/internal/duration"
	seeder "github.com/p2pstream/p2pstream/runtime/seeder/config"
	stun "github.com/p2pstream/p2pstream/runtime/stun/config"
	tracker "github.com/p2pstream/p2pstream/runtime/tracker/config"
)

// Mount paths in the pods.
const (
	mountConfig  = "/etc/p2pstream"
	mountToken   = mountConfig + "/token"
	mountTLS     = mountConfig + "/tls"
	mountHeaders = mountConfig + "/headers"
	mountCA      = mountConfig + "/ca"
	mountKeys    = mountConfig + "/viewer-keys"
	mountSites   = mountConfig + "/sites"
)

// Files of the ConfigMaps. The programs' configurations are hashed into the pods, so that a change replaces the pods.
// The programs reload the other files when they change.
const (
	fileTracker = "tracker.json"
	fileSTUN    = "stun.json"
	// FileOperators are the hashes of the tokens of operators.
	FileOperators = "operators.json"
	fileSeeder    = "seeder.json"
	fileICEPorts  = "ice-ports.json"
	// fileAdvertise are the addresses that seeders advertise.
	fileAdvertise = "advertise.json"
	fileSites     = "sites.json"
	fileSiteMap   = "sites.csv"
)

// How long programs continue to serve after they were told to stop, within the grace period of their pods.
const (
	drainSeeder  = 15 * time.Second // at most, for running uploads
	drainTracker = 10 * time.Second // over which connections are closed
	drainSTUN    = 10 * time.Second // until trackers give viewers other servers
)

// trackerConfig returns the configuration of the tracker.
func (p *planner) trackerConfig() (tracker.Config, error) {
	spec := p.spec.Tracker
	c := tracker.Config{
		Listen:          listen(PortTracker),
		InternalListen:  listen(PortTrackerInternal),
		AdminListen:     listen(PortAdmin),
		SeederTokenFile: mountToken + "/" + TokenKey,
		DrainPeriod:     duration.Duration(drainTracker),
		Stream:          p.streamConfig(),
	}
	c.OperatorsFile = mountConfig + "/" + FileOperators
	c.Stream.ExternalURL = p.externalURL()
	c.BasePath = string(spec.Exposure.Settings().Path)
	c.AllowNoOrigin = spec.AllowNoOrigin != nil && *spec.AllowNoOrigin
	c.Dashboard = spec.Dashboard == v1.DashboardPublic
	for _, o := range spec.AllowedOrigins {
		c.AllowedOrigins = append(c.AllowedOrigins, string(o))
	}
	for _, r := range spec.CandidateRanges {
		c.CandidateRanges = append(c.CandidateRanges, string(r))
	}
	c.ClientAddress = clientAddress(spec.ClientAddress)
	c.Sites = p.siteFiles()
	if p.tls() {
		c.TLSCert, c.TLSKey = mountTLS+"/tls.crt", mountTLS+"/tls.key"
	}
	if !p.traits(exposure.Tracker).ClientAddresses && len(c.ClientAddress.TrustedProxies) == 0 {
		// Many viewers have one address: that of the node or the proxy in between.
		c.Limits.SocketsPerAddress = -1
	}
	p.shareTracker(&c)
	if err := c.Validate(); err != nil {
		return c, invalidConfig(ComponentTracker, err)
	}
	return c, nil
}

// streamConfig is what a tracker is told of the stream, without the URL by which viewers reach it.
func (p *planner) streamConfig() *tracker.StreamConfig {
	source := p.spec.Source
	c := &tracker.StreamConfig{
		SourceURL:         string(source.URL),
		Format:            string(source.Format),
		SwarmID:           p.swarmID(),
		STUNFile:          mountConfig + "/" + fileSTUN,
		DisableP2P:        !*p.spec.Viewers.P2P,
		DisableUpload:     !*p.spec.Viewers.Upload,
		TotalsKept:        true,
		TelemetryInterval: tracker.Duration(p.spec.Telemetry.Interval.Duration),
		Generations:       p.generations(),
	}
	c.Tickets, c.ViewerTokens = viewerAccess(p.spec.Viewers)
	if source.SeederURL != source.URL {
		c.SeederURL = string(source.SeederURL)
	}
	c.HeadersDir, c.CAFile = p.originFiles()
	c.SignedPaths = p.signedPaths()
	return c
}

func (p *planner) signedPaths() (patterns []string) {
	for _, s := range p.spec.Source.SignedPaths {
		patterns = append(patterns, string(s))
	}
	return patterns
}

// viewerAccess returns what viewers present to the tracker.
func viewerAccess(spec *v1.ViewersSpec) (tickets tracker.TicketsConfig, tokens *tracker.TokensConfig) {
	if t := spec.Tickets; t != nil {
		tickets.Optional = t.Required != nil && !*t.Required
		if t.Lifetime != nil {
			tickets.Lifetime = tracker.Duration(t.Lifetime.Duration)
		}
	}
	if t := spec.Tokens; t != nil {
		tokens = &tracker.TokensConfig{KeysDir: mountKeys, Issuer: t.Issuer, Audience: t.Audience}
		if t.ClockSkew != nil {
			tokens.ClockSkew = tracker.Duration(t.ClockSkew.Duration)
		}
	}
	return tickets, tokens
}

// stunConfig returns the configuration of the STUN servers.
func stunConfig() (stun.Config, error) {
	c := stun.Config{Listen: listen(PortSTUN), AdminListen: listen(PortAdmin), Drain: duration.Duration(drainSTUN)}
	if err := c.Validate(); err != nil {
		return c, invalidConfig(ComponentSTUN, err)
	}
	return c, nil
}

// seederConfig returns the configuration that all seeders share. What differs by seeder is in its arguments.
func (p *planner) seederConfig(traits exposure.Traits) (seeder.Config, error) {
	spec := p.spec.Seeders
	c := seeder.Config{
		Source:         string(p.spec.Source.SeederURL),
		Format:         string(p.spec.Source.Format),
		SwarmID:        p.swarmID(),
		Trackers:       []string{p.trackerURL()},
		TokenFile:      mountToken + "/" + TokenKey,
		MaxPeers:       int(*spec.MaxPeers),
		CacheBytes:     spec.CacheSize.Value(),
		Renditions:     spec.Renditions,
		AdminListen:    listen(PortSeederAdmin),
		ReportInterval: duration.Duration(p.spec.Telemetry.Interval.Duration),
		Drain:          duration.Duration(drainSeeder),
		Generations:    p.generations(),
	}
	if spec.SuperSeeding != v1.SuperSeedingAuto { // the seeder's own default; to write it would restart all seeders
		c.SuperSeeding = seeder.SuperSeeding(spec.SuperSeeding)
	}
	c.HeadersDir, c.CAFile = p.originFiles()
	c.SignedPaths = p.signedPaths()
	if traits.OwnPorts {
		c.ICEPortsFile = mountConfig + "/" + fileICEPorts
	} else {
		c.ICEListen = listen(seederPort(traits))
	}
	switch traits.Advertise {
	case exposure.AdvertiseAssigned, exposure.AdvertiseNodeIP:
		c.AdvertiseFile = mountConfig + "/" + fileAdvertise
	case exposure.AdvertiseAddresses:
		for _, a := range exposure.SettingsOf(&p.spec, exposure.Seeder).Addresses {
			c.Advertise = append(c.Advertise, string(a))
		}
	case exposure.AdvertisePodIP:
	}
	var err error
	if c.UplinkBps, err = spec.Uplink.BitsPerSecond(); err != nil {
		return c, &InvalidError{fmt.Errorf("spec.seeders.uplink: %w", err)}
	}
	err = c.Validate()
	if err != nil {
		err = invalidConfig(ComponentSeeder, err)
	}
	return c, err
}

// generations are those that the spec names; none: the programs have defaults, and to write these would restart them all.
func (p *planner) generations() (names []string) {
	for _, g := range p.spec.Generations {
		names = append(names, string(g))
	}
	return names
}

// swarmID is the stream's swarm id, or empty when each program may derive it from the manifest's URL. When seeders and
// tracker fetch from another URL than players, they would derive another id, so it is set to what players derive.
func (p *planner) swarmID() string {
	if p.spec.SwarmID != "" || p.spec.Source.SeederURL == p.spec.Source.URL {
		return p.spec.SwarmID
	}
	id, _, _ := strings.Cut(string(p.spec.Source.URL), "?")
	return id
}

func (p *planner) originFiles() (headersDir, caFile string) {
	if p.spec.Source.HeadersSecretRef != nil {
		headersDir = mountHeaders
	}
	if p.spec.Source.CASecretRef != nil {
		caFile = mountCA + "/ca.crt"
	}
	return headersDir, caFile
}

func listen(port int32) string { return fmt.Sprintf(":%d", port) }

// file returns v as indented JSON, as it is stored in a ConfigMap.
func file(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("encoding configuration: %w", err)
	}
	return b.String(), nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
