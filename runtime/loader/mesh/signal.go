package mesh

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Bounds on the pause between announces that a tracker may ask for.
const (
	announceFirst = 30 * time.Second // until the first reply, as in bittorrent-tracker's client
	announceLeast = 5 * time.Second
	announceMost  = 300 * time.Second
)

// fromTracker is what the mesh needs of one tracker message.
type fromTracker struct {
	signaling.TrackerMessage
	infoHash identity.InfoHash
	peerID   identity.PeerID
	sdp      string
	at       time.Time // when it was read
}

func parseTracker(b []byte) (fromTracker, error) {
	m, err := signaling.ParseTrackerMessage(b)
	if err != nil {
		return fromTracker{}, fmt.Errorf("parsing tracker message: %w", err)
	}
	f := fromTracker{TrackerMessage: m, at: time.Now()}
	if m.HasInfoHash {
		f.infoHash = identity.InfoHash(m.InfoHash.String())
	}
	if m.Kind == signaling.KindOffer || m.Kind == signaling.KindAnswer {
		f.peerID = identity.PeerID(m.PeerID.String())
		if f.sdp, err = m.SDP.Text(); err != nil {
			return fromTracker{}, fmt.Errorf("parsing session description: %w", err)
		}
	}
	return f, nil
}

func (f *fromTracker) label() string {
	switch f.Kind {
	case signaling.KindFailure:
		return "failure"
	case signaling.KindOffer:
		return "offer"
	case signaling.KindAnswer:
		return "answer"
	case signaling.KindScrape:
		return "scrape"
	case signaling.KindReply:
		return "reply"
	default:
		return "other"
	}
}

// pause is how long the tracker wants us to wait; 0 if it did not say.
func (f *fromTracker) pause() time.Duration {
	seconds := f.Interval
	if seconds == 0 {
		seconds = f.MinInterval
	}
	if seconds == 0 {
		return 0
	}
	return min(max(time.Duration(seconds)*time.Second, announceLeast), announceMost)
}

// self is who we are in one swarm, in the tracker's terms.
type self struct{ infoHash, peerID signaling.ID }

func newSelf(cfg SwarmConfig) self {
	var me self
	copy(me.infoHash[:], cfg.InfoHash)
	copy(me.peerID[:], cfg.PeerID)
	return me
}

func (me self) announce(event signaling.Event, trackerID signaling.Raw, offers []madeOffer) []byte {
	a := signaling.Announce{
		InfoHash: me.infoHash, PeerID: me.peerID, Event: event, NumWant: len(offers), TrackerID: trackerID, ToSeeders: isOwn(offers),
		Offers: make([]signaling.Offer, len(offers)),
	}
	for i, o := range offers {
		a.Offers[i] = signaling.Offer{SDP: signaling.AppendText(nil, o.sdp), ID: signaling.AppendText(nil, o.id)}
	}
	return signaling.AppendAnnounce(nil, a)
}

// lost is an announce that tells of lost peers.
func (me self) lost(trackerID signaling.Raw, peers []signaling.ID) []byte {
	return signaling.AppendAnnounce(nil, signaling.Announce{InfoHash: me.infoHash, PeerID: me.peerID, TrackerID: trackerID, Lost: peers})
}

func (me self) answer(to *fromTracker, sdp string, trackerID signaling.Raw) []byte {
	return signaling.AppendAnswer(nil, me.infoHash, me.peerID, to.PeerID, signaling.AppendText(nil, sdp), to.OfferID, trackerID)
}

const offerIDAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// newOfferID is 20 random characters, 120 bits. ASCII, so that no tracker can mangle it.
func newOfferID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	for i, c := range b {
		b[i] = offerIDAlphabet[c%64]
	}
	return string(b[:])
}
