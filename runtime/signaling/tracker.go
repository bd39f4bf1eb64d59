package signaling

import "unicode/utf8"

// Kind is the main content of a message from a tracker.
type Kind uint8

// Kinds, in the order in which a message that combines several is named: an offer inside a reply is an offer.
const (
	KindUnknown Kind = iota
	KindFailure
	KindOffer
	KindAnswer
	KindScrape
	KindReply
)

// ScrapeFile is the state of one swarm in a scrape reply.
type ScrapeFile struct {
	InfoHash                         ID
	Complete, Incomplete, Downloaded int
}

// TrackerMessage is one message from a tracker to a client. Raw fields alias the parsed bytes.
type TrackerMessage struct {
	Kind Kind
	// Action is ActionUnknown when missing or unknown; p2p-media-loader 2.x treats that as a broken socket.
	Action Action
	// InfoHash is valid if HasInfoHash: bittorrent-tracker leaves it out of most failures.
	InfoHash    ID
	HasInfoHash bool
	// Interval and MinInterval are seconds until the next announce, 0 if missing; at most a day. They and the counts
	// may be present in messages of any kind.
	Interval, MinInterval int
	// Complete and Incomplete count the members of the swarm; valid if HasCounts.
	Complete, Incomplete int
	HasCounts            bool
	// Failure and Warning are texts for people, cut to 512 bytes.
	Failure, Warning string
	// TrackerID is any JSON value, to be returned in later announces; nil if there was none.
	TrackerID Raw
	// PeerID, SDP and OfferID make a relayed offer (PeerID offers) or answer (PeerID answers).
	PeerID  ID
	SDP     Raw
	OfferID Raw
	// Origin says where the sender of a relayed offer or answer is; valid if HasOrigin, which is so only for our trackers.
	Origin    Origin
	HasOrigin bool
	// About is the peer that Origin is about in a message that only says that; valid if HasAbout, which is so only for our
	// trackers, and never in an offer or answer.
	About    ID
	HasAbout bool
	// OffersWanted is for how many offers our tracker asks with this message; usually 0.
	OffersWanted int
	// Files of a scrape reply, at most 1,024; those with unusable hashes are left out.
	Files []ScrapeFile
}

const (
	maxInterval    = 24 * 60 * 60
	maxReason      = 512
	maxScrapeFiles = 1024
	// maxTrackerMessage is far above what trackers send to peers that limit their own offers.
	maxTrackerMessage = 256 << 10
)

// ParseTrackerMessage reads one message from a tracker. The error is always an Error. A message of an unknown kind is
// not an error: its kind is KindUnknown, and clients ignore it. Offers and answers that cannot be
// used (no peer id of 20 bytes, no description, no offer id) are errors.
func ParseTrackerMessage(b []byte) (TrackerMessage, error) {
	var m TrackerMessage
	if len(b) > maxTrackerMessage {
		return m, ErrTooLarge
	}
	if !utf8.Valid(b) {
		return m, ErrUTF8
	}
	p := trackerParser{scanner: scanner{b: b}}
	if p.peek() != '{' {
		if p.skip(0) && p.end() {
			return m, ErrNotObject
		}
		return m, ErrSyntax
	}
	if !p.object(p.field) || !p.end() {
		return m, ErrSyntax
	}
	return p.finish()
}

type trackerParser struct {
	scanner
	m                         TrackerMessage
	peerID                    bool // present and valid
	infoHashBad               bool
	failure, offer, answer    bool
	offerUsable, answerUsable bool
	offerSDP, answerSDP       Raw
	files                     bool
}

func (p *trackerParser) field(key []byte) bool {
	m := &p.m
	switch string(key) {
	case "action":
		raw, ok := p.raw()
		m.Action = actionOf(raw)
		return ok
	case "info_hash":
		p.infoHashBad = p.peek() != 'n'
		ok := idField(&p.scanner, &m.InfoHash, &m.HasInfoHash)
		p.infoHashBad = p.infoHashBad && !m.HasInfoHash
		return ok
	case "peer_id":
		return idField(&p.scanner, &m.PeerID, &p.peerID)
	case "offer":
		return p.description(&p.offer, &p.offerUsable, &p.offerSDP, "offer")
	case "answer":
		return p.description(&p.answer, &p.answerUsable, &p.answerSDP, "answer")
	case "offer_id":
		return offerID(&p.scanner, &m.OfferID, Limits{}.WithDefaults())
	case "interval":
		return p.count(&m.Interval, maxInterval, nil)
	case "min interval":
		return p.count(&m.MinInterval, maxInterval, nil)
	case "complete":
		return p.count(&m.Complete, 1<<31, &m.HasCounts)
	case "incomplete":
		return p.count(&m.Incomplete, 1<<31, nil)
	case "failure reason":
		p.failure = true
		return p.reason(&m.Failure)
	case "warning message":
		return p.reason(&m.Warning)
	case "tracker id":
		raw, ok := p.raw()
		m.TrackerID = nil
		if ok && string(raw) != "null" && len(raw) <= maxReason {
			m.TrackerID = raw
		}
		return ok
	case "files":
		return p.scrapeFiles()
	case "about":
		return idField(&p.scanner, &m.About, &m.HasAbout)
	case "p2pstream":
		return p.own()
	}
	return p.skip(0)
}

func (p *trackerParser) description(present, usable *bool, sdp *Raw, want string) bool {
	*present = p.peek() != 'n'
	var ok bool
	*sdp, *usable, ok = description(&p.scanner, want)
	return ok
}

// count reads a whole number that is not negative; anything else counts as missing, and 0.
func (p *trackerParser) count(dst *int, limit int64, present *bool) bool {
	n, usable, ok := p.integer()
	usable = usable && n >= 0
	*dst = 0
	if usable {
		*dst = int(min(n, limit))
	}
	if present != nil {
		*present = usable
	}
	return ok
}

func (p *trackerParser) reason(dst *string) bool {
	raw, ok := p.raw()
	if !ok {
		return false
	}
	text, err := raw.Text()
	if err != nil {
		text = string(raw)
	}
	*dst = cutText(text, maxReason)
	return true
}

// cutText cuts a text to at most n bytes, between characters.
func cutText(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

func (p *trackerParser) scrapeFiles() bool {
	if p.peek() != '{' {
		return p.skip(0)
	}
	p.files, p.m.Files = true, nil
	return p.object(func(key []byte) bool {
		if len(p.m.Files) == maxScrapeFiles || p.peek() != '{' {
			return p.skip(0)
		}
		var f ScrapeFile
		// The key is decoded already, so a backslash in it is a byte of the hash and not an escape.
		id, good := idOfText(key)
		f.InfoHash = id
		ok := p.object(func(key []byte) bool {
			switch string(key) {
			case "complete":
				return p.count(&f.Complete, 1<<31, nil)
			case "incomplete":
				return p.count(&f.Incomplete, 1<<31, nil)
			case "downloaded":
				return p.count(&f.Downloaded, 1<<31, nil)
			}
			return p.skip(0)
		})
		if good {
			p.m.Files = append(p.m.Files, f)
		}
		return ok
	})
}

func idOfText(text []byte) (ID, bool) {
	var id ID
	n := 0
	for _, r := range string(text) {
		if r > 0xff || n == IDLength {
			return ID{}, false
		}
		id[n] = byte(r)
		n++
	}
	return id, n == IDLength
}

func (p *trackerParser) finish() (TrackerMessage, error) {
	m := p.m
	m.HasAbout = m.HasAbout && m.HasOrigin && m.HasInfoHash && !p.failure && !p.offer && !p.answer
	switch {
	case p.failure:
		m.Kind = KindFailure
		return m, nil
	case p.infoHashBad:
		return m, ErrInfoHash
	case p.offer || p.answer:
		m.Kind, m.SDP = KindOffer, p.offerSDP
		usable, bad := p.offerUsable, ErrOffer
		if !p.offer {
			m.Kind, m.SDP, usable, bad = KindAnswer, p.answerSDP, p.answerUsable, ErrAnswer
		}
		switch {
		case !m.HasInfoHash:
			return m, ErrInfoHash
		case !p.peerID:
			return m, ErrPeerID
		case !usable:
			return m, bad
		case m.OfferID == nil:
			return m, ErrOfferID
		}
	case p.files:
		m.Kind = KindScrape
	case m.Action == ActionAnnounce && (m.Interval > 0 || m.HasCounts):
		m.Kind = KindReply
	}
	return m, nil
}
