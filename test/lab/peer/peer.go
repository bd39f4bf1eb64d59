package peer

import (
	"crypto/rand"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// NewID makes a random peer id or info hash of plain characters.
func NewID() (id signaling.ID) {
	copy(id[:], rand.Text())
	return id
}

// Description is an offer or answer as long as those of browsers.
var Description = signaling.AppendText(nil, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"+
	"a=candidate:3077952869 1 udp 2122265343 192.0.2.10 39155 typ host generation 0 network-id 2\r\n")

// Offers makes n offers.
func Offers(n int) (offers []signaling.Offer) {
	for range n {
		offers = append(offers, signaling.Offer{SDP: Description, ID: signaling.AppendID(nil, NewID())})
	}
	return offers
}
