package lab

import (
	"crypto/rand"
	"time"

	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
)

// What every stream of the lab is configured with.
const (
	// Token is the seeder token.
	Token = "lab-seeder-token"
	// SessionKey signs the tracker's sessions, for tests that forge one.
	SessionKey = "0123456789abcdef0123456789abcdef"
	// SwarmID is the swarm id.
	SwarmID = "lab"
)

// Ticket returns a ticket of a new session, as the tracker of the lab's stream would give it to a program.
func Ticket() string { return TicketOf(SessionKey, SwarmID, time.Now()) }

// TicketOf returns a ticket that was signed with some key, for some stream, at some time.
func TicketOf(key, stream string, at time.Time) string {
	ring, err := tickets.NewRing([]byte(key))
	if err != nil {
		panic(err) // a key that a test chose
	}
	text, err := ring.Issue(stream, "", tickets.DefaultLifetime, at, rand.Reader)
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return text
}
