package dash

import (
	"math"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// mpd is what is read of an MPD, in the player's units: seconds in float64.
type mpd struct {
	doc     document
	base    []string // of its URLs
	query   string   // of the URL that it came from
	static  bool
	periods []*period
	// begin is availabilityStartTime, 0 without. length is infinite if the end is not known.
	begin, length   float64
	depth           float64 // timeShiftBufferDepth, infinite without
	maxSegment      float64
	earliness       float64 // the least availabilityTimeOffset of all representations
	steering        bool
	defaultLocation string
	derived         bool // the length is that of the periods

	profiles  []string
	params    urlQuery // of the property that was read last
	entries   int      // left of maxEntries
	tracks    int      // representations so far
	timelines map[timelineKey]*timeline
	lists     map[*node][]listed
	listKeys  map[spanKey]bool
}

// Parse reads the MPD that came from responseURL. Errors are *Error.
func Parse(body []byte, responseURL string) (*Presentation, error) {
	doc, err := readDocument(body)
	if err != nil {
		return nil, err
	}
	at, err := parseURI(responseURL)
	if err != nil {
		return nil, err
	}
	if at.scheme != "http" && at.scheme != "https" {
		return nil, fail(ReasonScheme, "the MPD's own URL is neither http nor https")
	}
	m := &mpd{doc: doc, query: at.query, entries: maxEntries, earliness: math.Inf(1), timelines: map[timelineKey]*timeline{}, lists: map[*node][]listed{}, listKeys: map[spanKey]bool{}}
	p := &Presentation{URL: responseURL, DefaultSwarmID: identity.DefaultSwarmID(responseURL), Format: Format, doc: m, Reload: []string{responseURL}}
	if err := m.read(p); err != nil {
		return nil, err
	}
	if p.Renditions, err = m.renditions(p); err != nil {
		return nil, err
	}
	if len(p.Renditions) == 0 {
		return nil, fail(ReasonInvalid, "the MPD has no video or audio track")
	}
	return p, nil
}

func (m *mpd) read(p *Presentation) error {
	root := m.doc.root
	m.base = []string{p.URL}
	locations, err := m.resolveAll(texts(root.all("Location")))
	if err != nil {
		return err
	}
	if len(locations) > 0 {
		m.base, p.Reload = locations, locations
	}
	if p.Patches, err = m.resolveAll(texts(root.all("PatchLocation"))); err != nil {
		return err
	}
	if steering := root.onlyChild("ContentSteering"); steering != nil {
		m.steering, m.defaultLocation = true, steering.attr("defaultServiceLocation")
		p.notes = append(p.notes, steeringNote())
	}
	if m.base, err = m.bases(m.base, root); err != nil {
		return err
	}
	m.times(p)
	if p.Clocks, err = m.clocks(root); err != nil {
		return err
	}
	if err := m.readPeriods(); err != nil {
		return err
	}
	p.periods, p.Others = m.periods, m.others()
	p.Live = p.Dynamic && math.IsInf(m.length, 1)
	if !math.IsInf(m.length, 0) {
		p.Duration = toDuration(m.length)
	}
	p.LowLatency = m.earliness > 0 && !math.IsInf(m.earliness, 1)
	return nil
}

// times reads the attributes of the MPD itself.
func (m *mpd) times(p *Presentation) {
	root := m.doc.root
	m.static = root.attr("type") == "" || root.attr("type") == "static"
	p.Dynamic, p.ID = !m.static, root.attr("id")
	m.profiles = strings.Split(root.attr("profiles"), ",")
	p.PublishTime, _ = parseDate(root.attr("publishTime"))
	if t, ok := parseDate(root.attr("availabilityStartTime")); ok {
		p.AvailabilityStart, m.begin = t, seconds(t)
	}
	m.depth = math.Inf(1)
	p.MinimumUpdate = -1
	for name, use := range map[string]func(float64){
		"timeShiftBufferDepth":       func(s float64) { m.depth, p.TimeShiftBuffer = s, toDuration(s) },
		"maxSegmentDuration":         func(s float64) { m.maxSegment, p.MaxSegment = s, toDuration(s) },
		"minimumUpdatePeriod":        func(s float64) { p.MinimumUpdate = toDuration(s) },
		"suggestedPresentationDelay": func(s float64) { p.Delay = toDuration(s) },
		"minBufferTime":              func(s float64) { p.MinBuffer = toDuration(s) },
	} {
		if s, ok := root.durationAttr(name); ok {
			use(s)
		}
	}
}

// clocks reads how to find the time. Players ask the first one that answers.
func (m *mpd) clocks(root *node) ([]Clock, error) {
	var all []Clock
	for i, n := range root.all("UTCTiming") {
		if i == maxClocks {
			break
		}
		c := Clock{Scheme: n.attr("schemeIdUri"), Method: ClockUnknown}
		switch strings.TrimSuffix(strings.TrimSuffix(c.Scheme, ":2014"), ":2012") {
		case "urn:mpeg:dash:utc:http-head":
			c.Method = ClockHead
		case "urn:mpeg:dash:utc:http-xsdate", "urn:mpeg:dash:utc:http-iso":
			c.Method = ClockGet
		case "urn:mpeg:dash:utc:direct":
			c.Method = ClockDirect
			c.Time, _ = parseDate(n.attr("value"))
		}
		if c.Method == ClockHead || c.Method == ClockGet {
			at, err := m.resolveAll([]string{n.attr("value")})
			if err != nil {
				return nil, err
			}
			c.URL = at[0]
		}
		all = append(all, c)
	}
	return all, nil
}

// texts are the contents of elements that have any.
func texts(nodes []*node) []string {
	var out []string
	for _, n := range nodes {
		if text := n.contents(); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// resolveAll resolves each of refs against the first base.
func (m *mpd) resolveAll(refs []string) ([]string, error) {
	var out []string
	for _, ref := range refs {
		u, err := resolveOne(m.base[0], ref)
		if err != nil {
			return nil, err
		}
		text, err := webText(u)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	if len(out) > maxBaseURLs {
		return nil, fail(ReasonTooLarge, "more than %d URLs for one thing", maxBaseURLs)
	}
	return out, nil
}

func resolveOne(base, ref string) (uri, error) {
	b, err := parseURI(base)
	if err != nil {
		return uri{}, err
	}
	r, err := parseURI(ref)
	if err != nil {
		return uri{}, err
	}
	return b.resolve(r), nil
}

// webText prints a URL of the web and refuses any other one.
func webText(u uri) (string, error) {
	if scheme := strings.ToLower(u.scheme); (scheme != "http" && scheme != "https") || u.domain == "" {
		return "", fail(ReasonScheme, "only http and https URLs with a host are supported, not %s:", clip(u.scheme))
	}
	text := u.String()
	if len(text) > maxURLBytes {
		return "", fail(ReasonTooLarge, "a URL of more than %d bytes", maxURLBytes)
	}
	return text, nil
}

// bases are the URLs that URLs within n are relative to: each BaseURL against each of the parent's. With content
// steering, those of the default location count.
func (m *mpd) bases(parents []string, n *node) ([]string, error) {
	refs := n.all("BaseURL")
	if m.steering {
		var chosen []*node
		for _, ref := range refs {
			if l := ref.attr("serviceLocation"); l != "" && (m.defaultLocation == "" || l == m.defaultLocation) {
				chosen = append(chosen, ref)
			}
		}
		if len(chosen) > 0 {
			refs = chosen[:1]
		}
	}
	if len(refs) == 0 {
		return parents, nil
	}
	if len(refs)*len(parents) > maxBaseURLs {
		return nil, fail(ReasonTooLarge, "more than %d URLs for one thing", maxBaseURLs)
	}
	var out []string
	for _, parent := range parents {
		for _, ref := range refs {
			u, err := resolveOne(parent, ref.contents())
			if err != nil {
				return nil, err
			}
			text, err := webText(u)
			if err != nil {
				return nil, err
			}
			out = append(out, text)
		}
	}
	return out, nil
}

// available is the time at which something at this presentation time is there.
func (m *mpd) available(at float64) time.Time {
	whole, part := math.Modf(m.begin + at)
	if math.Abs(whole) > maxInteger {
		return time.Time{}
	}
	return time.Unix(int64(whole), int64(part*1e9)).UTC()
}
