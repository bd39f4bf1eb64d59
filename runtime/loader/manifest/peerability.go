package manifest

import (
	"fmt"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest/verdict"
)

// Reasons why a presentation cannot be shared, for status conditions. docs/origins.md says of each what to change.
const (
	// LowLatencyPartsOnly: players load LL-HLS parts, which peers never share.
	LowLatencyPartsOnly = "LowLatencyPartsOnly"
	// LiveWindowTooShort: no setting leaves room between viewer and live edge.
	LiveWindowTooShort = "LiveWindowTooShort"
	// MediaPlaylistRedirected: browsers ignore playlists that come from
	// another URL than the multivariant playlist names.
	MediaPlaylistRedirected = "MediaPlaylistRedirected"
	// UnknownCodecs: the identity would depend on the browser.
	UnknownCodecs = "UnknownCodecs"
	// NoRenditions: there is nothing to share.
	NoRenditions = "NoRenditions"
	// DeltaUpdates: players reload with _HLS_skip, and browsers ignore the
	// answer, because it has another URL than the multivariant playlist names.
	DeltaUpdates = "DeltaUpdates"
	// BlockingReload: the same with _HLS_msn.
	BlockingReload = "BlockingReload"
	// UnusualDuration: hls.js takes the text of a duration below zero, and text
	// between a duration and its comma, for one more segment, so that the numbers
	// of all that follow depend on when a page was opened.
	UnusualDuration = "UnusualDuration"
	// SameIdentity: peers cannot tell two renditions from each other, and their
	// segments differ.
	SameIdentity = "SameIdentity"
	// DifferentPerSession: two sessions get different media under one number.
	DifferentPerSession = "DifferentPerSession"
	// DifferentPerClient: seeders and tracker get different media under one
	// number.
	DifferentPerClient = "DifferentPerClient"
	// SegmentsEncoded: segments come with a Content-Encoding.
	SegmentsEncoded = "SegmentsEncoded"
	// RangesIgnored: the origin answers a Range request with the whole.
	RangesIgnored = "RangesIgnored"
	// NoContentLength: the origin does not say how long a segment is.
	NoContentLength = "NoContentLength"
	// NeedsCookie: segments are refused without a cookie of the origin.
	NeedsCookie = "NeedsCookie"
	// MasterRedirected: the manifest's URL leads each session to another one.
	MasterRedirected = "MasterRedirected"
	// Peerable is the reason given when all is well.
	Peerable = verdict.Peerable
)

// minRoomSegments is the least room, in target durations, that settings can
// make use of: one for the high-demand window and one in which peers fetch. Four
// browsers with 8 s of room on 4 s segments were measured to take every byte
// from peers; with less there is nothing between playhead and live edge.
const minRoomSegments = 2

// Evidence is what was read of a presentation beside its multivariant playlist. Empty parts are not judged.
type Evidence struct {
	// Playlists are keyed by Rendition.Name.
	Playlists map[string]*Playlist
	// Alike are the pairs of renditions with one identity whose segments were compared.
	Alike []Likeness
	// Differences are segments that were not the same for all that asked.
	Differences []Difference
	// Travel are oddities in how segments come.
	Travel []Trouble
	// Masters are the URLs, without query, that several sessions were led to.
	Masters []string
}

// Likeness is the result of comparing segments of two renditions, by Rendition.Name, under one media sequence number.
type Likeness struct {
	First, Second string
	Equal         bool
}

// Difference is one media sequence number of a rendition that names different media.
type Difference struct {
	Rendition string
	Sequence  int64
	// Clients is set if seeders and the tracker disagree; else two sessions of the tracker do.
	Clients bool
}

// Trouble is something odd in how a segment of a rendition came: SegmentsEncoded, RangesIgnored, NoContentLength or
// NeedsCookie. Detail is for people, such as what the origin answered; NoContentLength has one only if the segment could
// not be used.
type Trouble struct {
	Rendition, Reason, Detail string
}

// Verdict is what the evidence amounts to.
type Verdict = verdict.Verdict

// Peerability tells whether viewers of p can share it, with a reason for a
// condition and a message for people. playlists are keyed by Rendition.Name;
// renditions without one are not judged.
func Peerability(p *Presentation, playlists map[string]*Playlist) (ok bool, reason, message string) {
	v := Judge(p, Evidence{Playlists: playlists})
	return v.Peerable, v.Reason, v.Message
}

// Short names of what is in each finding.
type finding = verdict.Finding

const (
	warning = verdict.Warning
	limited = verdict.Limited
	offKind = verdict.OffKind
	off     = verdict.Off
)

// Judge weighs the evidence about p.
func Judge(p *Presentation, e Evidence) Verdict {
	return verdict.Weigh(findings(p, e))
}

func findings(p *Presentation, e Evidence) []finding {
	if p == nil || len(p.Renditions) == 0 {
		return []finding{{Effect: off, Reason: NoRenditions, Message: "The manifest names no rendition that can be fetched."}}
	}
	var all []finding
	if p.mpd != nil {
		all = mpdFindings(p, e)
	}
	if p.UnknownCodecs {
		all = append(all, finding{Effect: off, Reason: UnknownCodecs, Message: "A variant lists a codec that hls.js does not know: viewers with different browsers would not find each other. " +
			"Correct CODECS in the multivariant playlist."})
	}
	for _, r := range p.Renditions {
		if list := e.Playlists[r.Name]; list != nil && p.mpd == nil {
			all = append(all, r.obstacles(list)...)
		}
	}
	all = append(all, differences(e)...)
	all = append(all, travel(p, e)...)
	all = append(all, twins(p, e)...)
	if len(e.Masters) > 1 && slices.ContainsFunc(e.Masters, func(at string) bool { return at != e.Masters[0] }) {
		all = append(all, finding{Effect: warning, Reason: MasterRedirected, Message: fmt.Sprintf("The manifest's URL leads one session to %s and another to %s: players that do not get their "+
			"settings from the tracker make a swarm for each. Set the stream's swarm id.", withoutSecrets(e.Masters[0]), withoutSecrets(e.Masters[len(e.Masters)-1]))})
	}
	return all
}

// obstacles are those that one playlist shows.
func (r Rendition) obstacles(p *Playlist) []finding {
	var all []finding
	if p.LowLatencyParts {
		all = append(all, finding{Effect: off, Reason: LowLatencyPartsOnly, Message: fmt.Sprintf("Rendition %s is a low-latency playlist: players load its parts, which peers cannot share. "+
			"Publish whole segments, or switch the players' low-latency mode off and the parts with it.", r.Name)})
	}
	if p.CanBlock && !p.Ended {
		all = append(all, finding{Effect: offKind, Kind: r.Type, Reason: BlockingReload, Message: fmt.Sprintf("The playlist of rendition %s offers blocking reloads (CAN-BLOCK-RELOAD): hls.js then adds "+
			"_HLS_msn to its URL, and the browser library takes no update from another URL than the manifest names. "+
			"Serve it without CAN-BLOCK-RELOAD in EXT-X-SERVER-CONTROL.", r.Name)})
	}
	if p.CanSkip && !p.Ended {
		all = append(all, finding{Effect: offKind, Kind: r.Type, Reason: DeltaUpdates, Message: fmt.Sprintf("The playlist of rendition %s offers delta updates (CAN-SKIP-UNTIL): hls.js then adds "+
			"_HLS_skip to its URL, and the browser library takes no update from another URL than the manifest names. "+
			"Serve it without CAN-SKIP-UNTIL in EXT-X-SERVER-CONTROL.", r.Name)})
	}
	if p.Miscounted {
		all = append(all, finding{Effect: offKind, Kind: r.Type, Reason: UnusualDuration, Message: fmt.Sprintf("The playlist of rendition %s has a duration below zero (#EXTINF:-…) or text before the comma "+
			"(#EXTINF:2.0 text,…): hls.js takes it for one more segment, so that browsers give each other the wrong media. Correct EXTINF at the packager.", r.Name)})
	}
	if p.Redirected {
		all = append(all, finding{Effect: limited, Reason: MediaPlaylistRedirected, Message: fmt.Sprintf("The playlist of rendition %s is answered from %s, not from the URL in the manifest: "+
			"browsers then share nothing. Serve it without redirect.", r.Name, withoutSecrets(p.ResponseURL))})
	}
	if !p.Ended && !p.Growing() && p.Room() < minRoomSegments*p.TargetDuration {
		all = append(all, finding{Effect: limited, Reason: LiveWindowTooShort, Message: fmt.Sprintf("Rendition %s lists %d segments of %v: a viewer has only %v between playhead and live edge. "+
			"List at least %d segments; 60 s or more is good.", r.Name, p.Entries, p.TargetDuration, p.Room().Round(time.Second), minRoomSegments+1)})
	}
	return all
}

func differences(e Evidence) []finding {
	var all []finding
	for _, d := range e.Differences {
		if d.Clients {
			all = append(all, finding{Effect: off, Reason: DifferentPerClient, Message: fmt.Sprintf("Segment %d of rendition %s is not the same for the seeders and for the tracker: "+
				"peers would give each other the wrong media. Serve all clients the same segments under the same numbers, from the same packager.", d.Sequence, d.Rendition)})
			continue
		}
		all = append(all, finding{Effect: off, Reason: DifferentPerSession, Message: fmt.Sprintf("Segment %d of rendition %s is not the same in two sessions (ads or watermarks for each viewer): "+
			"peers would give each other the wrong media. Insert ads on the client's side, or offer a manifest without them.", d.Sequence, d.Rendition)})
	}
	return all
}

func travel(p *Presentation, e Evidence) []finding {
	var all []finding
	for _, t := range e.Travel {
		f := finding{Reason: t.Reason, Effect: limited}
		detail := ""
		if t.Detail != "" {
			detail = " (" + t.Detail + ")"
		}
		switch t.Reason {
		case SegmentsEncoded:
			f.Effect = off
			f.Message = fmt.Sprintf("Segments of rendition %s come with a Content-Encoding%s: the browser library takes each of them for incomplete. "+
				"Do not compress media at the origin or at a proxy in front of it.", t.Rendition, detail)
		case RangesIgnored:
			f.Effect = warning
			f.Message = fmt.Sprintf("The origin answers a Range request for a segment of rendition %s with the whole file%s: what a peer began cannot be continued there. "+
				"Switch range requests on.", t.Rendition, detail)
			if list := e.Playlists[t.Rendition]; list != nil && slices.ContainsFunc(list.Segments, func(s Segment) bool { return s.Range != nil }) {
				f.Effect, f.Kind = offKind, kindOf(p, t.Rendition)
				f.Message = fmt.Sprintf("The segments of rendition %s are byte ranges, and the origin answers Range requests with the whole file%s. Switch range requests on.", t.Rendition, detail)
			}
		case NoContentLength:
			if detail == "" { // it came all the same
				f.Effect = warning
			}
			f.Message = fmt.Sprintf("Segments of rendition %s come without Content-Length%s: a browser that continues one from a peer can lose the connection to it. "+
				"Make the origin send Content-Length.", t.Rendition, detail)
		case NeedsCookie:
			f.Effect = warning
			f.Message = fmt.Sprintf("Segments of rendition %s are refused without a cookie that the manifest sets%s: the browser library fetches from another site "+
				"without cookies. Sign URLs instead, or serve pages and media from one host.", t.Rendition, detail)
		default:
			continue
		}
		all = append(all, f)
	}
	return all
}

func kindOf(p *Presentation, name string) identity.StreamType {
	for _, r := range p.Renditions {
		if r.Name == name {
			return r.Type
		}
	}
	return identity.Main
}

// twins are renditions with one identity. Backups on another host are such, with the same segments; cameras, languages or
// qualities with equal attributes have others. Until they were compared, peers must not take one for the other.
func twins(p *Presentation, e Evidence) []finding {
	var all []finding
	for _, pair := range Twins(p) {
		first, second := pair[0], pair[1]
		if e.Playlists[first.Name] == nil || e.Playlists[second.Name] == nil {
			continue // players cannot read it either
		}
		how := "could not be compared with each other yet"
		at := slices.IndexFunc(e.Alike, func(l Likeness) bool { return l.First == first.Name && l.Second == second.Name })
		if at >= 0 {
			if e.Alike[at].Equal {
				continue
			}
			how = "differ"
		}
		what, change := "video", "Give each another BANDWIDTH, RESOLUTION or FRAME-RATE"
		if first.Type == identity.Secondary {
			what, change = "audio", "Give each another NAME, LANGUAGE or CHANNELS"
		}
		all = append(all, finding{Effect: offKind, Kind: first.Type, Reason: SameIdentity, Message: fmt.Sprintf("Renditions %s and %s have the same attributes, so that peers cannot tell them apart, and their segments %s: "+
			"P2P is off for %s. %s, or serve the same segments under both.", first.Name, second.Name, how, what, change)})
	}
	return all
}

// Twins are the pairs of renditions that peers of V23 cannot tell apart: each later one with the first of its identity.
// Players of DASH are of V22, which counts renditions and mistakes none for another.
func Twins(p *Presentation) [][2]Rendition {
	if p.mpd != nil {
		return nil
	}
	type key struct {
		kind identity.StreamType
		id   string
	}
	first := map[key]Rendition{}
	var pairs [][2]Rendition
	for _, r := range p.Renditions {
		k := key{r.Type, r.ShortID}
		if one, again := first[k]; again {
			pairs = append(pairs, [2]Rendition{one, r})
			continue
		}
		first[k] = r
	}
	return pairs
}
