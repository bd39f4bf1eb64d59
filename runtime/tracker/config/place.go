package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/p2pstream/p2pstream/internal/validate"
	"github.com/p2pstream/p2pstream/runtime/sites"
)

// SitesConfig says which places in the network viewers are in.
type SitesConfig struct {
	// The fields mask, fallback and list.
	sites.Config
	// File is a JSON file with these fields, instead of them. It is read again when it changes.
	File string `json:"file,omitempty"`
	// MapFile is a CSV file with further sites, after those of the list. It is read again when it changes. While it does
	// not exist or cannot be read, the sites of the last version apply, or the list alone if there was none.
	MapFile string `json:"mapFile,omitempty"`
}

// Where clients' addresses come from.
const (
	FromSocket        = "Socket"
	FromForwarded     = "Forwarded"
	FromProxyProtocol = "ProxyProtocol"
)

// MaxTrustedProxies is how many ranges of trusted proxies are accepted.
const MaxTrustedProxies = 64

// ClientAddressConfig says how the tracker learns the addresses of its clients.
type ClientAddressConfig struct {
	// From is Socket (the default), Forwarded (proxies name the client in Forwarded or X-Forwarded-For) or ProxyProtocol
	// (connections of proxies begin with a header of the PROXY protocol, version 1 or 2, before TLS; those without one are
	// closed). InternalListen expects no header.
	From string `json:"from,omitempty"`
	// TrustedProxies are the proxies' addresses, as CIDR ranges. What other clients say is not believed.
	TrustedProxies []string `json:"trustedProxies,omitempty"`
}

// Trusted returns TrustedProxies, which must be valid.
func (c ClientAddressConfig) Trusted() (all []netip.Prefix) {
	for _, r := range c.TrustedProxies {
		if p, err := netip.ParsePrefix(r); err == nil {
			all = append(all, p.Masked())
		}
	}
	return all
}

func (c ClientAddressConfig) validate() error {
	if c.From != "" && !slices.Contains([]string{FromSocket, FromForwarded, FromProxyProtocol}, c.From) {
		return fmt.Errorf("config.clientAddress.from: %q is not Socket, Forwarded or ProxyProtocol", c.From)
	}
	if len(c.TrustedProxies) > MaxTrustedProxies {
		return fmt.Errorf("config.clientAddress.trustedProxies: has %d ranges; at most %d are accepted", len(c.TrustedProxies), MaxTrustedProxies)
	}
	switch behind := c.From == FromForwarded || c.From == FromProxyProtocol; {
	case behind && len(c.TrustedProxies) == 0:
		return fmt.Errorf("config.clientAddress.trustedProxies: is empty; give the addresses of the proxies that say %s, such as 10.0.0.0/24", c.From)
	case !behind && len(c.TrustedProxies) > 0:
		return errors.New("config.clientAddress.from: proxies are trusted, but not asked; set Forwarded or ProxyProtocol")
	}
	return validate.Each("config.clientAddress.trustedProxies", c.TrustedProxies, validate.CIDR)
}

func (c *SitesConfig) validate() error {
	if c == nil {
		return nil
	}
	if c.File != "" && (len(c.List) > 0 || c.Mask != (sites.Mask{}) || c.Fallback != (sites.Fallback{}) || c.Gateways != 0 || c.CellSize != 0) {
		return errors.New("config.sites.file: it holds mask, fallback, gateways, cellSize and list; set either the file or these")
	}
	return c.Config.Validate("config.sites")
}
