package sites

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"
)

// Map says which site an address belongs to. It does not change, so any number of goroutines may use it. A nil *Map has no
// sites.
type Map struct {
	table    bart.Table[*place]
	mask     Mask
	fallback *Site
	names    []string
	named    map[string]*Site
	revoked  map[string]bool
	problems problems
	shadows  []Shadow
	shadowed int
	lines    int
	gateways int
	cellSize int
}

// place is one prefix of a site. A lower rank wins.
type place struct {
	site   *Site
	rank   int
	prefix netip.Prefix
	line   int
}

// Shadow is a prefix that has no effect, because an earlier site, or an earlier line of the same site, holds it.
type Shadow struct {
	Site   string       `json:"site"`
	Prefix netip.Prefix `json:"prefix"`
	Line   int          `json:"line,omitempty"` // of the file; 0: of the list
	// By is the prefix that holds it, and of which site it is.
	By     netip.Prefix `json:"by"`
	BySite string       `json:"bySite"`
	ByLine int          `json:"byLine,omitempty"`
}

// New makes a map of a configuration and a file, which may be nil. The lines of the file come after the list. It returns an
// error for a configuration that is not valid.
func New(c Config, file *File) (*Map, error) {
	if err := c.Validate("sites"); err != nil {
		return nil, err
	}
	lines, err := c.lines("sites")
	if err != nil {
		return nil, err
	}
	m := &Map{named: map[string]*Site{}, revoked: map[string]bool{}, mask: c.Mask, fallback: &Site{Peering: orFull(c.Fallback.Peering)},
		gateways: c.Gateways, cellSize: c.CellSize}
	for _, e := range c.List {
		for _, id := range e.Revoked {
			m.revoked[id] = true
		}
	}
	if file != nil {
		m.problems, m.lines = file.problems.clone(), file.Read
		lines = append(lines, file.lines...)
	}
	m.build(lines)
	return m, nil
}

// build fills the table. "The first site wins" and "the longest prefix wins inside a site" are decided here, so that a lookup
// is one search for the longest prefix: prefixes are inserted from short to long, and one that an earlier site holds already
// is left out.
func (m *Map) build(lines []line) {
	var all []*place
	known := map[Site]*Site{}
	ranks := map[string]int{}
	settings := m.settings(lines)
	for _, l := range lines {
		rank, ok := ranks[l.name]
		if !ok {
			rank = len(m.names)
			ranks[l.name] = rank
			m.names = append(m.names, l.name)
			m.named[l.name] = &Site{Name: l.name, Peering: Full, CrossSite: settings[l.name].crossSite == stated, Gateways: settings[l.name].gateways}
		}
		s := settings[l.name]
		site := Site{Name: l.name, Peering: orFull(l.peering), CrossSite: s.crossSite == stated, Gateways: s.gateways}
		if known[site] == nil {
			known[site] = &site
		}
		for _, p := range l.prefixes {
			all = append(all, &place{site: known[site], rank: rank, prefix: p, line: l.number})
		}
	}
	slices.SortStableFunc(all, func(a, b *place) int {
		return cmp.Or(cmp.Compare(a.prefix.Bits(), b.prefix.Bits()), cmp.Compare(a.rank, b.rank))
	})
	for _, p := range all {
		by, ok := m.table.LookupPrefix(p.prefix)
		if ok && (by.rank < p.rank || by.prefix == p.prefix) {
			m.shadow(p, by)
			continue
		}
		m.table.Insert(p.prefix, p)
	}
}

// settings are what holds for a site as a whole: what its first line says that says anything.
func (m *Map) settings(lines []line) map[string]line {
	all := map[string]line{}
	for _, l := range lines {
		s := all[l.name]
		if s.crossSite == unstated {
			s.crossSite = l.crossSite
		} else if l.crossSite != unstated && l.crossSite != s.crossSite {
			m.problems.warn(l.number, "crossSite differs from an earlier line of the site, which counts")
		}
		if s.gateways == 0 {
			s.gateways = l.gateways
		} else if l.gateways != 0 && l.gateways != s.gateways {
			m.problems.warn(l.number, "gateways differs from an earlier line of the site, which counts")
		}
		all[l.name] = s
	}
	return all
}

// maxShadows is how many shadows are kept with their names; all are counted.
const maxShadows = 100

func (m *Map) shadow(p, by *place) {
	m.shadowed++
	if len(m.shadows) < maxShadows {
		m.shadows = append(m.shadows, Shadow{Site: p.site.Name, Prefix: p.prefix, Line: p.line,
			By: by.prefix, BySite: by.site.Name, ByLine: by.line})
	}
}

func orFull(p Peering) Peering {
	if p == "" {
		return Full
	}
	return p
}

// Lookup returns the site of an address, never nil. IPv4 addresses inside IPv6 count as IPv4, and zones are ignored. The
// site of an address that no entry matches has an empty name, unless the map has a mask. Sites with one name are one site;
// their peering may differ from prefix to prefix.
func (m *Map) Lookup(addr netip.Addr) *Site {
	if m == nil {
		return &Site{Peering: Full}
	}
	addr = addr.Unmap().WithZone("")
	if p, ok := m.table.Lookup(addr); ok {
		return p.site
	}
	if bits := m.mask.bits(addr); bits > 0 {
		if p, err := addr.Prefix(bits); err == nil {
			return &Site{Name: p.String(), Peering: Full}
		}
	}
	return m.fallback
}

// Gateways is how many gateway viewers sites have that do not say it themselves; 0: the default of the tracker.
func (m *Map) Gateways() int { return m.gateways }

// CellSize is how many viewers of a rendition a cell of a site has; 0: the default of the tracker.
func (m *Map) CellSize() int { return m.cellSize }

// Named returns the site with a name: one of the entries, or one that the mask makes, such as 10.1.7.0/24. Its peering is
// Full, since that of an entry is of its prefixes. ok is false if there is no such site.
func (m *Map) Named(name string) (site Site, ok bool) {
	if m == nil || len(name) > MaxNameBytes {
		return site, false
	}
	if s := m.named[name]; s != nil {
		return *s, true
	}
	p, err := netip.ParsePrefix(name)
	if err != nil || p.Bits() != m.mask.bits(p.Addr()) || p.Bits() == 0 || p != p.Masked() || p.String() != name {
		return site, false
	}
	return Site{Name: name, Peering: Full}, true
}

// Revoked tells whether the credential of an edge seeder with this id is not accepted any more.
func (m *Map) Revoked(id string) bool { return m != nil && m.revoked[id] }

// bits returns the mask for the family of an address, 0 for none.
func (m Mask) bits(addr netip.Addr) int {
	switch {
	case addr.Is4():
		return m.IPv4
	case addr.Is6():
		return m.IPv6
	}
	return 0
}

// Match returns the prefix of the map's entries that decides about an address; ok is false if none does.
func (m *Map) Match(addr netip.Addr) (p netip.Prefix, line int, ok bool) {
	if m == nil || !addr.IsValid() {
		return p, 0, false
	}
	addr = addr.Unmap().WithZone("")
	_, found, ok := m.table.LookupPrefixLPM(netip.PrefixFrom(addr, addr.BitLen()))
	if !ok {
		return p, 0, false
	}
	return found.prefix, found.line, true
}
