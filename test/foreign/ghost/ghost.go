// Package ghost is clients that our peers cannot count on: like those of p2p-media-loader, they announce with offers and
// vanish without a goodbye. Their offers look like any other; a peer that answers one meets no other peer.
package ghost

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// sdp is a valid offer, from an address where no peer is.
const sdp = "v=0\r\no=- 4215775240449105457 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=msid-semantic: WMS\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n" +
	"a=candidate:1 1 udp 2122260223 127.0.0.1 9 typ host generation 0\r\n" +
	"a=ice-ufrag:gho5\r\na=ice-pwd:nobodyisathomehereatall00\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n" +
	"a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n"

// wait bounds everything that a ghost waits for.
const wait = 20 * time.Second

var errWaited = fmt.Errorf("nothing came in %s", wait)

// Client is one page: a socket, and on it one peer id for each swarm.
type Client struct {
	ws   *websocket.Conn
	done chan struct{} // closed when the socket is
	news chan struct{}

	mu      sync.Mutex
	replies int
	scraped bool
	files   []signaling.ScrapeFile
	offers  []Offer
}

// Offer is one that was given to the client.
type Offer struct {
	signaling.TrackerMessage
	At time.Time
}

// Dial opens a socket to the tracker.
func Dial(tracker string) (*Client, error) {
	ws, resp, err := websocket.DefaultDialer.Dial(tracker, nil)
	if err != nil {
		return nil, fmt.Errorf("connecting a ghost: %w", err)
	}
	_ = resp.Body.Close() // of a socket it is empty
	c := &Client{ws: ws, done: make(chan struct{}), news: make(chan struct{}, 1)}
	go c.read()
	return c, nil
}

// NewID is a peer id as p2p-media-loader 2.3 makes them.
func NewID() (id signaling.ID) {
	copy(id[:], "-PM0203-"+rand.Text())
	return id
}

// Announce announces in each swarm under an id of its own, with so many offers in each, and returns the ids once the
// tracker has replied to all.
func (c *Client) Announce(swarms []signaling.ID, offers int) ([]signaling.ID, error) {
	ids := make([]signaling.ID, len(swarms))
	for i, hash := range swarms {
		ids[i] = NewID()
		a := signaling.Announce{InfoHash: hash, PeerID: ids[i], Event: signaling.EventStarted, NumWant: offers}
		for range offers {
			o := signaling.Offer{SDP: signaling.AppendText(nil, sdp), ID: signaling.AppendText(nil, rand.Text()[:20])}
			a.Offers = append(a.Offers, o)
		}
		if err := c.send(signaling.AppendAnnounce(nil, a)); err != nil {
			return nil, err
		}
	}
	return ids, c.until(func() bool { return c.replies >= len(swarms) })
}

// Answer answers a relayed offer, as bad clients do: without a thought of whether its sender is still there.
func (c *Client) Answer(o Offer, as signaling.ID) error {
	return c.send(signaling.AppendAnswer(nil, o.InfoHash, as, o.PeerID, signaling.AppendText(nil, sdp), o.OfferID, nil))
}

func (c *Client) send(b []byte) error {
	_ = c.ws.SetWriteDeadline(time.Now().Add(wait)) // fails on a closed socket only
	if err := c.ws.WriteMessage(websocket.TextMessage, b); err != nil {
		return fmt.Errorf("sending as a ghost: %w", err)
	}
	return nil
}

// until waits for what the reader brings about.
func (c *Client) until(ok func() bool) error {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for {
		c.mu.Lock()
		done := ok()
		c.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-c.news:
		case <-c.done:
			return errors.New("the tracker closed a ghost's socket")
		case <-deadline.C:
			return errWaited
		}
	}
}

// Vanish closes the connection without a word.
func (c *Client) Vanish() {
	_ = c.ws.Close() // its reader ends
	<-c.done
}

// Gone is closed when the socket is.
func (c *Client) Gone() <-chan struct{} { return c.done }

// Offers are those that it was given.
func (c *Client) Offers() []Offer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Offer(nil), c.offers...)
}

func (c *Client) read() {
	defer close(c.done)
	for {
		_, b, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		m, err := signaling.ParseTrackerMessage(b)
		if err != nil {
			continue // what it does not understand it ignores
		}
		c.mu.Lock()
		switch m.Kind {
		case signaling.KindReply:
			c.replies++
		case signaling.KindScrape:
			c.scraped, c.files = true, m.Files
		case signaling.KindOffer:
			c.offers = append(c.offers, Offer{TrackerMessage: m, At: time.Now()})
		default:
		}
		c.mu.Unlock()
		select {
		case c.news <- struct{}{}:
		default:
		}
	}
}

// Scrape asks the tracker for all of its swarms, which foreign ones tell, and returns the number of members of each.
func Scrape(tracker string) (map[signaling.ID]int, error) {
	c, err := Dial(tracker)
	if err != nil {
		return nil, err
	}
	defer c.Vanish()
	if err := c.send(signaling.AppendScrape(nil)); err != nil {
		return nil, err
	}
	if err := c.until(func() bool { return c.scraped }); err != nil {
		return nil, fmt.Errorf("scraping: %w", err)
	}
	members := make(map[signaling.ID]int, len(c.files))
	for _, f := range c.files {
		members[f.InfoHash] = f.Complete + f.Incomplete
	}
	return members, nil
}
