package sites

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a site map. MaxBytes is of the CSV text; a ConfigMap holds a quarter of it.
const (
	MaxBytes     = 4 << 20
	MaxLines     = 65_536
	MaxLineBytes = 65_536
	MaxPrefixes  = 65_536
	MaxListed    = 1_024 // entries of Config.List
	MaxNameBytes = 64
	MaxGateways  = 64
	MaxRevoked   = 64 // ids of one site
	// A cell below this size, and the gateways of which are most of its viewers, saves nothing.
	LeastCellSize = 10
	MostCellSize  = 50_000
)

// Config is what a map is made of, beside a file. All fields are optional.
type Config struct {
	// Mask makes a site of every prefix of these lengths, for addresses that no entry matches.
	Mask Mask `json:"mask,omitzero"`
	// Fallback says what applies to addresses that neither an entry nor the mask matches.
	Fallback Fallback `json:"fallback,omitzero"`
	// Gateways is how many viewers per rendition and cell are led to peers outside of sites that do not say it themselves, and
	// CellSize how many viewers of a rendition one cell has. Zero: the defaults of the tracker.
	Gateways int `json:"gateways,omitempty"`
	CellSize int `json:"cellSize,omitempty"`
	// List of sites. The first one that holds an address wins; the file's lines come after the list.
	List []Entry `json:"list,omitempty"`
}

// Mask is a prefix length for each family, 0 for none.
type Mask struct {
	IPv4 int `json:"ipv4,omitempty"` // 8 to 32
	IPv6 int `json:"ipv6,omitempty"` // 16 to 128
}

// Fallback applies to addresses outside of all sites.
type Fallback struct {
	Peering Peering `json:"peering,omitempty"` // empty: Full
}

// Entry is one site of the list.
type Entry struct {
	Name      string   `json:"name"`
	CIDRs     []string `json:"cidrs"`
	Peering   Peering  `json:"peering,omitempty"` // empty: Full
	CrossSite bool     `json:"crossSite,omitempty"`
	Gateways  int      `json:"gateways,omitempty"` // 0: the default
	// Revoked are ids of credentials of edge seeders of the site that are not accepted any more.
	Revoked []string `json:"revoked,omitempty"`
}

// Validate returns an error for the first invalid field; field is the name of the configuration itself.
func (c Config) Validate(field string) error {
	if bits := c.Mask.IPv4; bits != 0 && (bits < 8 || bits > 32) {
		return fmt.Errorf("%s.mask.ipv4: %d is not between 8 and 32", field, bits)
	}
	if bits := c.Mask.IPv6; bits != 0 && (bits < 16 || bits > 128) {
		return fmt.Errorf("%s.mask.ipv6: %d is not between 16 and 128", field, bits)
	}
	if p := c.Fallback.Peering; p != "" && !p.valid() {
		return fmt.Errorf("%s.fallback.peering: %q is not Full, ReceiveOnly or Off", field, p)
	}
	if c.Gateways < 0 || c.Gateways > MaxGateways {
		return fmt.Errorf("%s.gateways: %d is not between 1 and %d", field, c.Gateways, MaxGateways)
	}
	if c.CellSize != 0 && (c.CellSize < LeastCellSize || c.CellSize > MostCellSize) {
		return fmt.Errorf("%s.cellSize: %d is not between %d and %d", field, c.CellSize, LeastCellSize, MostCellSize)
	}
	if len(c.List) > MaxListed {
		return fmt.Errorf("%s.list: has %d sites; at most %d are read, more belong into a file", field, len(c.List), MaxListed)
	}
	_, err := c.lines(field)
	return err
}

// lines returns the list as the lines of a file.
func (c Config) lines(field string) ([]line, error) {
	var all []line
	seen := map[string]bool{}
	prefixes := 0
	for i, e := range c.List {
		at := fmt.Sprintf("%s.list[%d]", field, i)
		if err := checkName(e.Name); err != nil {
			return nil, fmt.Errorf("%s.name: %w", at, err)
		}
		if seen[e.Name] {
			return nil, fmt.Errorf("%s.name: there are two sites %q", at, e.Name)
		}
		seen[e.Name] = true
		if e.Peering != "" && !e.Peering.valid() {
			return nil, fmt.Errorf("%s.peering: %q is not Full, ReceiveOnly or Off", at, e.Peering)
		}
		if e.Gateways < 0 || e.Gateways > MaxGateways {
			return nil, fmt.Errorf("%s.gateways: %d is not between 0 and %d", at, e.Gateways, MaxGateways)
		}
		if len(e.Revoked) > MaxRevoked {
			return nil, fmt.Errorf("%s.revoked: has %d ids; at most %d are read. Remove those that have expired", at, len(e.Revoked), MaxRevoked)
		}
		for _, id := range e.Revoked {
			if !validID(id) {
				return nil, fmt.Errorf("%s.revoked: %q is not the id of a join file, which has %d hexadecimal digits", at, id, idLength)
			}
		}
		l := line{name: e.Name, peering: e.Peering, gateways: e.Gateways}
		if e.CrossSite {
			l.crossSite = stated
		}
		for _, cidr := range e.CIDRs {
			p, _, err := parsePrefix(cidr)
			if err != nil {
				return nil, fmt.Errorf("%s.cidrs: %w", at, err)
			}
			l.prefixes = append(l.prefixes, p)
		}
		if len(l.prefixes) == 0 {
			return nil, fmt.Errorf("%s.cidrs: is empty; give the site's ranges, such as 10.1.0.0/16", at)
		}
		if prefixes += len(l.prefixes); prefixes > MaxPrefixes {
			return nil, fmt.Errorf("%s.list: has more than %d ranges", field, MaxPrefixes)
		}
		all = append(all, l)
	}
	return all, nil
}

func (p Peering) valid() bool { return p == Full || p == ReceiveOnly || p == Off }

// idLength is the length of the id of a join file.
const idLength = 16

func validID(id string) bool {
	return len(id) == idLength && strings.Trim(id, "0123456789abcdef") == ""
}

// checkName returns an error for a name that status, metrics or logs could not show.
func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the site has no name")
	case len(name) > MaxNameBytes:
		return fmt.Errorf("the name has %d bytes; at most %d are accepted", len(name), MaxNameBytes)
	case !utf8.ValidString(name):
		return fmt.Errorf("the name is not UTF-8; save the file as CSV UTF-8")
	case strings.TrimSpace(name) != name, strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("the name %q has characters that cannot be shown", name)
	}
	return nil
}

// parsePrefix reads a range such as 10.1.0.0/16, or one address. masked is true if bits after the prefix were set.
func parsePrefix(text string) (p netip.Prefix, masked bool, err error) {
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return p, false, fmt.Errorf("%q is not a range of addresses, such as 10.1.0.0/16", shorten(text))
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), false, nil
	}
	p, err = netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return p, false, fmt.Errorf("%q is not a range of addresses, such as 10.1.0.0/16", shorten(text))
	}
	return p.Masked(), p.Masked() != p, nil
}

// shorten bounds what a message repeats of its input, and keeps it valid UTF-8.
func shorten(text string) string {
	const most = 60
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
