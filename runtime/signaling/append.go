package signaling

import "strconv"

// Announce is a client's announce, with the fields that p2p-media-loader 2.3.1 sends. Like that library, it does not
// send `left`.
type Announce struct {
	InfoHash, PeerID ID
	Event            Event
	// NumWant is usually the number of offers.
	NumWant int
	// TrackerID is the `tracker id` value of an earlier reply, or nil.
	TrackerID Raw
	// ToSeeders asks our trackers to pass the offers on to seeders. It is for seeders, and sent to no other tracker.
	ToSeeders bool
	// Lost tells our trackers of connections that ended without the sender's doing. It is for seeders, and sent to no other
	// tracker.
	Lost []ID
	// Offers are sent as they are: build the fields with AppendText and AppendID.
	Offers []Offer
}

// AppendAnnounce appends an announce, in the field order of bittorrent-tracker's client.
func AppendAnnounce(dst []byte, a Announce) []byte {
	dst = append(dst, `{"numwant":`...)
	dst = strconv.AppendInt(dst, int64(a.NumWant), 10)
	dst = append(dst, `,"uploaded":0,"downloaded":0`...)
	if a.Event != EventNone && int(a.Event) < len(eventNames) {
		dst = append(dst, `,"event":"`...)
		dst = append(dst, eventNames[a.Event]...)
		dst = append(dst, '"')
	}
	dst = append(dst, ',')
	dst = appendHead(dst, a.InfoHash, a.PeerID)
	dst = appendTrackerID(dst, a.TrackerID)
	if a.ToSeeders {
		dst = append(dst, `,"to_seeders":true`...)
	}
	for i, id := range a.Lost {
		if i == 0 {
			dst = append(dst, `,"lost":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = AppendID(dst, id)
	}
	if len(a.Lost) > 0 {
		dst = append(dst, ']')
	}
	dst = append(dst, `,"offers":[`...)
	for i, o := range a.Offers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		dst = appendDescription(dst, "offer", o.SDP)
		dst = append(dst, `,"offer_id":`...)
		dst = append(dst, o.ID...)
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}

// AppendAnswer appends a client's answer to the offer offerID of the peer to. sdp and offerID are JSON strings;
// the offer id must be the one of the relayed offer, character for character.
func AppendAnswer(dst []byte, infoHash, peerID, to ID, sdp, offerID, trackerID Raw) []byte {
	dst = append(dst, '{')
	dst = appendHead(dst, infoHash, peerID)
	dst = append(dst, `,"to_peer_id":`...)
	dst = AppendID(dst, to)
	dst = append(dst, ',')
	dst = appendDescription(dst, "answer", sdp)
	dst = append(dst, `,"offer_id":`...)
	dst = append(dst, offerID...)
	dst = appendTrackerID(dst, trackerID)
	return append(dst, '}')
}

// AppendScrape appends a client's scrape of the given swarms; without any, of all swarms that the tracker chooses to show.
func AppendScrape(dst []byte, infoHashes ...ID) []byte {
	dst = append(dst, `{"action":"scrape"`...)
	for i, id := range infoHashes {
		switch {
		case i > 0:
			dst = append(dst, ',')
		case len(infoHashes) == 1:
			dst = append(dst, `,"info_hash":`...)
		default:
			dst = append(dst, `,"info_hash":[`...)
		}
		dst = AppendID(dst, id)
	}
	if len(infoHashes) > 1 {
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// AppendReply appends a tracker's reply to an announce. interval is in seconds.
func AppendReply(dst []byte, infoHash ID, interval, complete, incomplete int) []byte {
	dst = append(dst, `{"action":"announce","interval":`...)
	dst = strconv.AppendInt(dst, int64(interval), 10)
	dst = append(dst, `,"info_hash":`...)
	dst = AppendID(dst, infoHash)
	dst = append(dst, `,"complete":`...)
	dst = strconv.AppendInt(dst, int64(complete), 10)
	dst = append(dst, `,"incomplete":`...)
	dst = strconv.AppendInt(dst, int64(incomplete), 10)
	return append(dst, '}')
}

// AppendRelayedOffer appends the message that relays an offer to its recipient; from is the offerer, and origin says where it
// is. nil: the message is as other trackers send it.
func AppendRelayedOffer(dst []byte, infoHash, from ID, o Offer, origin *Origin) []byte {
	return appendRelayed(dst, infoHash, from, "offer", o.SDP, o.ID, origin)
}

// AppendRelayedAnswer appends the message that relays an answer to the offerer; from is the answerer, and origin says where it
// is. nil: the message is as other trackers send it.
func AppendRelayedAnswer(dst []byte, infoHash, from ID, sdp, offerID Raw, origin *Origin) []byte {
	return appendRelayed(dst, infoHash, from, "answer", sdp, offerID, origin)
}

func appendRelayed(dst []byte, infoHash, from ID, kind string, sdp, offerID Raw, origin *Origin) []byte {
	dst = append(dst, '{')
	dst = appendHead(dst, infoHash, from)
	dst = append(dst, ',')
	dst = appendDescription(dst, kind, sdp)
	dst = append(dst, `,"offer_id":`...)
	dst = append(dst, offerID...)
	dst = appendOrigin(dst, origin)
	return append(dst, '}')
}

// AppendScrapeReply appends a tracker's reply to a scrape. minInterval, in seconds, is left out when 0.
func AppendScrapeReply(dst []byte, files []ScrapeFile, minInterval int) []byte {
	dst = append(dst, `{"action":"scrape","files":{`...)
	for i, f := range files {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendID(dst, f.InfoHash)
		dst = append(dst, `:{"complete":`...)
		dst = strconv.AppendInt(dst, int64(f.Complete), 10)
		dst = append(dst, `,"incomplete":`...)
		dst = strconv.AppendInt(dst, int64(f.Incomplete), 10)
		dst = append(dst, `,"downloaded":`...)
		dst = strconv.AppendInt(dst, int64(f.Downloaded), 10)
		dst = append(dst, '}')
	}
	dst = append(dst, '}')
	if minInterval > 0 {
		dst = append(dst, `,"flags":{"min_request_interval":`...)
		dst = strconv.AppendInt(dst, int64(minInterval), 10)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// AppendFailure appends a tracker's failure. It always carries an action that clients know, because
// p2p-media-loader 2.x drops its socket for minutes on a message without one, and the info hash as its sender
// spelled it if that is known, because several swarms share a socket.
func AppendFailure(dst []byte, action Action, infoHash Raw, reason string) []byte {
	if action == ActionScrape {
		dst = append(dst, `{"action":"scrape","failure reason":`...)
	} else {
		dst = append(dst, `{"action":"announce","failure reason":`...)
	}
	dst = AppendText(dst, reason)
	if infoHash != nil {
		dst = append(dst, `,"info_hash":`...)
		dst = append(dst, infoHash...)
	}
	return append(dst, '}')
}

func appendHead(dst []byte, infoHash, peerID ID) []byte {
	dst = append(dst, `"action":"announce","info_hash":`...)
	dst = AppendID(dst, infoHash)
	dst = append(dst, `,"peer_id":`...)
	return AppendID(dst, peerID)
}

func appendTrackerID(dst []byte, id Raw) []byte {
	if id == nil {
		return dst
	}
	dst = append(dst, `,"trackerid":`...)
	return append(dst, id...)
}

// appendDescription appends `"kind":{"type":"kind","sdp":…}`.
func appendDescription(dst []byte, kind string, sdp Raw) []byte {
	dst = append(dst, '"')
	dst = append(dst, kind...)
	dst = append(dst, `":{"type":"`...)
	dst = append(dst, kind...)
	dst = append(dst, `","sdp":`...)
	dst = append(dst, sdp...)
	return append(dst, '}')
}
