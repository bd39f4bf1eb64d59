package signaling

import "unicode/utf8"

// Action is the kind of request in a message, or the kind that a reply belongs to.
type Action uint8

// Actions of the WebTorrent tracker protocol. An answer is an `announce` on the wire; it has its own value here
// because nothing else about it is like an announce.
const (
	ActionUnknown Action = iota
	ActionAnnounce
	ActionAnswer
	ActionScrape
)

// Event is the `event` of an announce.
type Event uint8

// Events: the four of BEP 3 and BEP 21's `paused`, and bittorrent-tracker's names `update` and `empty` for none.
const (
	EventNone Event = iota
	EventStarted
	EventStopped
	EventCompleted
	EventUpdate
	EventPaused
	EventEmpty
	eventInvalid
)

var eventNames = [...]string{EventNone: "", EventStarted: "started", EventStopped: "stopped",
	EventCompleted: "completed", EventUpdate: "update", EventPaused: "paused", EventEmpty: "empty"}

// Offer is one offer of an announce: the JSON strings of its session description and of its id, as spelled by
// the sender. Other fields of the offer are dropped.
type Offer struct {
	SDP, ID Raw
}

// ClientMessage is one message from a client to a tracker. Raw fields alias the parsed bytes.
type ClientMessage struct {
	Action Action
	// InfoHash and PeerID are valid for announces and answers.
	InfoHash, PeerID ID
	// RawInfoHash is the info hash as spelled, even if invalid, so that a failure can name it; nil if it was missing,
	// not a string, or longer than maxEcho.
	RawInfoHash Raw
	Event       Event
	// NumWant is how many peers the sender wants its offers to go to; -1, which means all offers, if the field was
	// missing or unusable.
	NumWant int
	// Complete says that the sender declared `left` to be 0.
	Complete bool
	// Offers of an announce; items that are malformed or beyond the limit are only counted, in Dropped.
	Offers  []Offer
	Dropped int
	// ToSeeders says that the offers are for other seeders: those of a seeder that fills from them.
	ToSeeders bool
	// Lost are peers whose connections with the sender ended without its doing; at most MaxLost.
	Lost []ID
	// ToPeerID, SDP and OfferID make an answer.
	ToPeerID ID
	SDP      Raw
	OfferID  Raw
	// Scrape holds the info hashes asked for; ScrapeAll says that none was named.
	Scrape    []ID
	ScrapeAll bool
}

// ParseClientMessage reads one message from a client. The error is always an Error; the message then still has the
// action and info hash, as far as they are known, for the failure reply.
func ParseClientMessage(b []byte, lim Limits) (ClientMessage, error) {
	var m ClientMessage
	err := m.Parse(b, lim.WithDefaults())
	return m, err
}

// seen records which fields were present during parsing; a present but unusable field differs from a missing one.
type seen struct {
	peerID, toPeerID, infoHash bool
	answer, answerBad          bool
	scrapeBad, scrapeMany      bool
}

// Parse is ParseClientMessage into m, whose slices are reused. lim must have its defaults filled in.
func (m *ClientMessage) Parse(b []byte, lim Limits) error {
	*m = ClientMessage{NumWant: -1, Offers: m.Offers[:0], Lost: m.Lost[:0], Scrape: m.Scrape[:0]}
	if len(b) > lim.MessageBytes {
		return ErrTooLarge
	}
	// A browser drops its socket on a text frame that is not UTF-8, so nothing of such a message may be relayed.
	if !utf8.Valid(b) {
		return ErrUTF8
	}
	s := scanner{b: b}
	if s.peek() != '{' {
		if s.skip(0) && s.end() {
			return ErrNotObject
		}
		return ErrSyntax
	}
	var have seen
	ok := s.object(func(key []byte) bool { return m.field(&s, key, &have, lim) })
	if !ok || !s.end() {
		// Fields of a malformed message must not be used.
		*m = ClientMessage{NumWant: -1, Offers: m.Offers[:0], Lost: m.Lost[:0], Scrape: m.Scrape[:0]}
		return ErrSyntax
	}
	return m.check(&have)
}

// field consumes the value of one top-level key. As in JavaScript the last of several equal keys counts.
func (m *ClientMessage) field(s *scanner, key []byte, have *seen, lim Limits) bool {
	switch string(key) {
	case "action":
		return m.action(s)
	case "info_hash":
		return m.infoHash(s, have, lim)
	case "peer_id":
		return idField(s, &m.PeerID, &have.peerID)
	case "to_peer_id":
		return idField(s, &m.ToPeerID, &have.toPeerID)
	case "event":
		return m.event(s)
	case "numwant":
		n, usable, ok := s.integer()
		m.NumWant = -1
		if usable && n >= 0 {
			m.NumWant = int(n)
		}
		return ok
	case "left":
		n, usable, ok := s.integer()
		m.Complete = usable && n == 0
		return ok
	case "offers":
		return m.offers(s, lim)
	case "to_seeders":
		raw, ok := s.raw()
		m.ToSeeders = ok && string(raw) == "true"
		return ok
	case "lost":
		return m.lost(s)
	case "answer":
		if s.peek() == 'n' {
			have.answer = false
			return s.literal("null")
		}
		have.answer = true
		sdp, usable, ok := description(s, "answer")
		m.SDP, have.answerBad = sdp, !usable
		return ok
	case "offer_id":
		return offerID(s, &m.OfferID, lim)
	}
	return s.skip(0)
}

func (m *ClientMessage) action(s *scanner) bool {
	raw, ok := s.raw()
	m.Action = actionOf(raw)
	return ok
}

func actionOf(raw Raw) Action {
	switch {
	case raw.is("announce"):
		return ActionAnnounce
	case raw.is("scrape"):
		return ActionScrape
	}
	return ActionUnknown
}

func (m *ClientMessage) event(s *scanner) bool {
	m.Event = EventNone
	raw, ok := s.raw()
	if !ok || string(raw) == "null" {
		return ok
	}
	m.Event = eventInvalid
	for e, name := range eventNames {
		if raw.is(name) {
			m.Event = Event(e)
		}
	}
	return true
}

// infoHash reads one info hash or, for scrapes, an array of them.
func (m *ClientMessage) infoHash(s *scanner, have *seen, lim Limits) bool {
	m.Scrape, m.RawInfoHash = m.Scrape[:0], nil
	have.infoHash, have.scrapeBad, have.scrapeMany = false, false, false
	if s.peek() == '[' {
		return s.array(func() bool {
			var id ID
			var good bool
			if len(m.Scrape) == lim.ScrapeHashes {
				have.scrapeMany = true
				return s.skip(0)
			}
			ok := idField(s, &id, &good)
			m.Scrape = append(m.Scrape, id)
			have.scrapeBad = have.scrapeBad || !good
			return ok
		})
	}
	start := s.i
	text := s.peek() == '"'
	m.ScrapeAll = s.peek() == 'n'
	ok := idField(s, &m.InfoHash, &have.infoHash)
	if raw := s.b[start:s.i]; text && ok && len(raw) <= maxEcho {
		m.RawInfoHash = Raw(raw)
	}
	have.scrapeBad = !have.infoHash && !m.ScrapeAll
	m.Scrape = append(m.Scrape, m.InfoHash)
	return ok
}

func (m *ClientMessage) offers(s *scanner, lim Limits) bool {
	m.Offers, m.Dropped = m.Offers[:0], 0
	if s.peek() != '[' {
		return s.skip(0)
	}
	return s.array(func() bool {
		if len(m.Offers) >= lim.Offers {
			m.Dropped++
			return s.skip(0)
		}
		offer, usable, ok := offerItem(s, lim)
		switch {
		case usable:
			m.Offers = append(m.Offers, offer)
		default:
			m.Dropped++
		}
		return ok
	})
}

// MaxLost is how many lost peers of one announce are kept.
const MaxLost = 10

func (m *ClientMessage) lost(s *scanner) bool {
	m.Lost = m.Lost[:0]
	if s.peek() != '[' {
		return s.skip(0)
	}
	return s.array(func() bool {
		var id ID
		var good bool
		ok := idField(s, &id, &good)
		if good && len(m.Lost) < MaxLost {
			m.Lost = append(m.Lost, id)
		}
		return ok
	})
}

func offerItem(s *scanner, lim Limits) (o Offer, usable, ok bool) {
	if s.peek() != '{' {
		return o, false, s.skip(0)
	}
	var good bool
	ok = s.object(func(key []byte) bool {
		switch string(key) {
		case "offer":
			var ok bool
			o.SDP, good, ok = description(s, "offer")
			return ok
		case "offer_id":
			return offerID(s, &o.ID, lim)
		}
		return s.skip(0)
	})
	return o, good && o.ID != nil, ok
}

// description reads {"type","sdp"}. It is usable if sdp is a text and type, where present, is the wanted one.
func description(s *scanner, want string) (sdp Raw, usable, ok bool) {
	if s.peek() != '{' {
		return nil, false, s.skip(0)
	}
	typeOK := true
	ok = s.object(func(key []byte) bool {
		raw, ok := s.raw()
		switch string(key) {
		case "sdp":
			sdp = nil
			if ok && raw[0] == '"' {
				sdp = raw
			}
		case "type":
			typeOK = raw.is(want)
		}
		return ok
	})
	return sdp, typeOK && sdp != nil, ok
}

func offerID(s *scanner, dst *Raw, lim Limits) bool {
	raw, ok := s.raw()
	*dst = nil
	if ok && raw[0] == '"' && len(raw) <= lim.OfferIDBytes {
		*dst = raw
	}
	return ok
}

func idField(s *scanner, id *ID, good *bool) bool {
	*good = false
	if s.peek() != '"' {
		return s.skip(0)
	}
	body, _, ok := s.text()
	if ok {
		*id, *good = parseID(body)
	}
	return ok
}

// check validates a message that is well-formed JSON, in the order in which bittorrent-tracker 11 does.
func (m *ClientMessage) check(have *seen) error {
	switch m.Action {
	case ActionScrape:
		if len(m.Scrape) == 0 || m.ScrapeAll {
			m.Scrape, m.ScrapeAll = m.Scrape[:0], true
			return nil
		}
		switch {
		case have.scrapeMany:
			return ErrScrape
		case have.scrapeBad:
			return ErrInfoHash
		}
		return nil
	case ActionAnnounce:
	default:
		return ErrAction
	}
	m.Scrape, m.ScrapeAll = m.Scrape[:0], false
	switch {
	case !have.infoHash:
		return ErrInfoHash
	case !have.peerID:
		return ErrPeerID
	case have.answer:
		m.Action = ActionAnswer
		m.Offers, m.Lost, m.Event = m.Offers[:0], m.Lost[:0], EventNone
		switch {
		case !have.toPeerID:
			return ErrToPeerID
		case have.answerBad:
			return ErrAnswer
		case m.OfferID == nil:
			return ErrOfferID
		}
	case m.Event == eventInvalid:
		m.Event = EventNone
		return ErrEvent
	}
	return nil
}
