package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/sites"
)

// checked is the report.
type checked struct {
	sites.Report
	Addresses []addressed `json:"addresses,omitempty"`
}

// addressed says where an address belongs.
type addressed struct {
	Address   netip.Addr    `json:"address"`
	Site      string        `json:"site"` // empty: none
	Peering   sites.Peering `json:"peering"`
	CrossSite bool          `json:"crossSite,omitempty"`
	Gateways  int           `json:"gateways,omitempty"` // 0: the default
	// Prefix and Line of the entry that decides; none for an address of a mask or outside of all sites.
	Prefix string `json:"prefix,omitempty"`
	Line   int    `json:"line,omitempty"`
}

func found(m *sites.Map, addr netip.Addr) addressed {
	s := m.Lookup(addr)
	out := addressed{Address: addr, Site: s.Name, Peering: s.Peering, CrossSite: s.CrossSite, Gateways: s.Gateways}
	if p, line, ok := m.Match(addr); ok {
		out.Prefix, out.Line = p.String(), line
	}
	return out
}

func (c checked) write(w io.Writer, form string) error {
	if form == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(c)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d sites, %d prefixes in force\n", len(c.Sites), c.Prefixes)
	for _, s := range c.Sites {
		fmt.Fprintf(&b, "  %s:", s.Name)
		for i, p := range []sites.Peering{sites.Full, sites.ReceiveOnly, sites.Off} {
			if n := s.Prefixes[p]; n > 0 {
				fmt.Fprintf(&b, " %d %s", n, p)
			} else if i == 0 && len(s.Prefixes) == 0 {
				b.WriteString(" no prefix in force")
			}
		}
		if s.CrossSite {
			b.WriteString(", meets viewers of other sites")
		}
		if s.Gateways > 0 {
			fmt.Fprintf(&b, ", %d gateway viewers", s.Gateways)
		}
		b.WriteByte('\n')
	}
	if c.Mask.IPv4 > 0 {
		fmt.Fprintf(&b, "every other IPv4 /%d is a site: Full\n", c.Mask.IPv4)
	}
	if c.Mask.IPv6 > 0 {
		fmt.Fprintf(&b, "every other IPv6 /%d is a site: Full\n", c.Mask.IPv6)
	}
	fmt.Fprintf(&b, "outside of all sites: %s\n", c.Fallback)
	if c.Shadowed > 0 {
		fmt.Fprintf(&b, "%d prefixes without effect, because an earlier entry holds them:\n", c.Shadowed)
		for _, s := range c.Shadows {
			fmt.Fprintf(&b, "  %s%s of %s: in %s%s of %s\n", place(s.Line), s.Prefix, s.Site, place(s.ByLine), s.By, s.BySite)
		}
		more(&b, c.Shadowed-len(c.Shadows))
	}
	c.problems(&b, c.Ignored, true, "%d of %d lines are ignored:\n")
	c.problems(&b, c.Warnings, false, "%d notes on %d lines:\n")
	for _, a := range c.Addresses {
		name := a.Site
		if name == "" {
			name = "no site"
		}
		fmt.Fprintf(&b, "%s: %s, %s", a.Address, name, a.Peering)
		if a.Prefix != "" {
			fmt.Fprintf(&b, " (%s%s)", place(a.Line), a.Prefix)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// problems lists those that are ignored, or that are not.
func (c checked) problems(b *strings.Builder, n int, ignored bool, head string) {
	if n == 0 {
		return
	}
	fmt.Fprintf(b, head, n, c.Lines)
	for _, p := range c.Problems {
		if p.Ignored == ignored {
			fmt.Fprintf(b, "  line %d: %s\n", p.Line, p.Text)
			n--
		}
	}
	more(b, n)
}

func more(b *strings.Builder, n int) {
	if n > 0 {
		fmt.Fprintf(b, "  and %d more\n", n)
	}
}

// place names a line of the file; entries of a list have none.
func place(line int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf("line %d, ", line)
}
