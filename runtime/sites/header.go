package sites

import "strings"

// columns are the places of a line's cells, −1 for none.
type columns struct {
	name, subnets, peering, crossSite, gateways int
}

// microsoft returns the columns of Microsoft eCDN's subnet mapping without a header: group id, subnets, P2P. What follows
// (WAN, label, country) is not read: our STUN servers serve all sites.
func microsoft() columns {
	return columns{name: 0, subnets: 1, peering: 2, crossSite: -1, gateways: -1}
}

// header reads a line of column names. ok is false if the line is not one: the columns of name and ranges are missing.
func header(cells []string) (c columns, unknown []string, ok bool) {
	c = columns{-1, -1, -1, -1, -1}
	for i, cell := range cells {
		at := c.named(plain(cell))
		switch {
		case at != nil && *at < 0:
			*at = i
		case at != nil || !ignored(plain(cell)):
			unknown = append(unknown, cell) // a second one of a name, or none of ours
		}
	}
	return c, unknown, c.name >= 0 && c.subnets >= 0
}

// named returns the place of a column, nil if there is no such one.
func (c *columns) named(plain string) *int {
	switch plain {
	case "groupid", "group", "site", "sitename", "name":
		return &c.name
	case "subnets", "subnet", "cidrs", "cidr", "ranges", "networks", "prefixes":
		return &c.subnets
	case "p2p", "peering":
		return &c.peering
	case "crosssite":
		return &c.crossSite
	case "gateways":
		return &c.gateways
	}
	return nil
}

// ignored reports whether a column is known and not read.
func ignored(plain string) bool {
	return plain == "" || plain == "wan" || plain == "label" || plain == "country"
}

// plain is a column's name without case, spaces and marks.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-*.\"\u00a0", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
}
