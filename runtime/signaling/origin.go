package signaling

import "strconv"

// Origin says where the sender of a relayed offer or answer is, as seen by its recipient. Our trackers add it as the member
// "p2pstream" when sites are configured. Viewers get Near only; seeders, whom the tracker knows by their token, get all of it.
type Origin struct {
	// Site is the sender's site; empty: it is in none.
	Site string `json:"site,omitempty"`
	// Cell is the part of the site that the sender is in; 0 unless the site is split.
	Cell int `json:"cell,omitempty"`
	// Near says that sender and recipient are in the same site.
	Near bool `json:"near"`
	// Gateway says that the sender is now one of the viewers of its site that are led to peers elsewhere.
	Gateway bool `json:"gateway,omitempty"`
	// Shares says that sender and recipient are seeders that get one copy of each segment together.
	Shares bool `json:"shares,omitempty"`
	// ReceiveOnly says that the sender uploads nothing, so that it must not be chosen to pass segments on.
	ReceiveOnly bool `json:"receiveOnly,omitempty"`
}

const (
	// maxSiteName is the longest name of a site that a client takes from a tracker, in bytes. A longer one is cut.
	maxSiteName = 256
	// maxCell is the highest number of a cell that is taken from a tracker.
	maxCell = 1 << 20
	// MaxRequestedOffers is how many offers a tracker can ask for with one message.
	MaxRequestedOffers = 10
)

// appendOrigin appends `,"p2pstream":{…}`; nothing for nil.
func appendOrigin(dst []byte, o *Origin) []byte {
	if o == nil {
		return dst
	}
	dst = append(dst, `,"p2pstream":{`...)
	if o.Site != "" {
		dst = append(dst, `"site":`...)
		dst = AppendText(dst, o.Site)
		dst = append(dst, ',')
	}
	if o.Cell != 0 {
		dst = append(dst, `"cell":`...)
		dst = strconv.AppendInt(dst, int64(o.Cell), 10)
		dst = append(dst, ',')
	}
	dst = append(dst, `"near":`...)
	dst = strconv.AppendBool(dst, o.Near)
	if o.Gateway {
		dst = append(dst, `,"gateway":true`...)
	}
	if o.Shares {
		dst = append(dst, `,"shares":true`...)
	}
	if o.ReceiveOnly {
		dst = append(dst, `,"receiveOnly":true`...)
	}
	return append(dst, '}')
}

// AppendOffersRequest appends the message by which our trackers ask a seeder to announce at once with n offers, for viewers
// that need one now. Clients that do not know it ignore it.
func AppendOffersRequest(dst []byte, infoHash ID, n int) []byte {
	dst = append(dst, `{"action":"announce","info_hash":`...)
	dst = AppendID(dst, infoHash)
	dst = append(dst, `,"p2pstream":{"offers":`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, "}}"...)
}

// AppendPlaceNotice appends the message by which our trackers tell a seeder that what they said about a viewer has changed: it
// is a gateway now, or none any more, or somewhere else. Clients that do not know it ignore it.
func AppendPlaceNotice(dst []byte, infoHash, about ID, o Origin) []byte {
	dst = append(dst, `{"action":"announce","info_hash":`...)
	dst = AppendID(dst, infoHash)
	dst = append(dst, `,"about":`...)
	dst = AppendID(dst, about)
	return append(appendOrigin(dst, &o), '}')
}

// own reads the member "p2pstream". What it cannot use counts as missing.
func (p *trackerParser) own() bool {
	m := &p.m
	m.Origin, m.HasOrigin, m.OffersWanted = Origin{}, false, 0
	if p.peek() != '{' {
		return p.skip(0)
	}
	m.HasOrigin = true
	return p.object(func(key []byte) bool {
		switch string(key) {
		case "site":
			return p.siteName(&m.Origin.Site)
		case "cell":
			return p.count(&m.Origin.Cell, maxCell, nil)
		case "near":
			return p.flag(&m.Origin.Near)
		case "gateway":
			return p.flag(&m.Origin.Gateway)
		case "shares":
			return p.flag(&m.Origin.Shares)
		case "receiveOnly":
			return p.flag(&m.Origin.ReceiveOnly)
		case "offers":
			return p.count(&m.OffersWanted, MaxRequestedOffers, nil)
		}
		return p.skip(0)
	})
}

// flag reads true; anything else counts as false.
func (p *trackerParser) flag(dst *bool) bool {
	raw, ok := p.raw()
	*dst = ok && string(raw) == "true"
	return ok
}

func (p *trackerParser) siteName(dst *string) bool {
	*dst = ""
	raw, ok := p.raw()
	if !ok || len(raw) == 0 || raw[0] != '"' {
		return ok
	}
	if text, err := raw.Text(); err == nil {
		*dst = cutText(text, maxSiteName)
	}
	return ok
}
