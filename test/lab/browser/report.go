package browser

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// Report is what a tab measured. Times are milliseconds since the page asked to play; -1 means
// not yet.
type Report struct {
	Ready           bool             `json:"ready"`
	FirstFrameMs    int              `json:"firstFrameMs"`
	FirstPeerMs     int              `json:"firstPeerMs"`
	FirstPeerByteMs int              `json:"firstPeerByteMs"`
	Stalls          int              `json:"stalls"`  // times that playback stood still for 250 ms or more
	StallMs         float64          `json:"stallMs"` // of stalls that are over
	StallDetails    []Stall          `json:"stallDetails"`
	StalledNowMs    int              `json:"stalledNowMs"`
	CurrentTime     float64          `json:"currentTime"` // seconds
	Buffered        float64          `json:"buffered"`    // seconds ahead of the playhead
	Ended           bool             `json:"ended"`
	Level           int              `json:"level"`
	Bytes           Bytes            `json:"bytes"`
	UploadBytes     int64            `json:"uploadBytes"`
	Uploads         map[string]int64 `json:"uploads"` // by peer id
	Peers           []string         `json:"peers"`   // ids of those connected now
	PeersSeen       int              `json:"peersSeen"`
	Segments        []Segment        `json:"segments"`
	SegmentErrors   []SegmentError   `json:"segmentErrors"`
	Downloads       []string         `json:"downloads"` // begin and end of each, with time, source and playhead
	Errors          []string         `json:"errors"`    // that a user would notice
	Notes           []string         `json:"notes"`     // of what was recovered from without the user noticing
	TrackerWarnings []string         `json:"trackerWarnings"`
	Reporter        bool             `json:"reporter"` // the tracker's /p2pstream.js is attached
	Reported        Reported         `json:"reported"` // what that script counts
	States          []string         `json:"states"`   // mode and reason of the viewer SDK, in turn
	Steps           []string         `json:"steps"`    // of the start, with WithTrace

	// Of a tracker client tab only.
	Received map[string]string `json:"received"` // last message by peer id
	Updates  []Update          `json:"updates"`
}

// Stall is one time that playback stood still. With much buffered, or with timers that came late, it is
// the machine that was too slow, not the network.
type Stall struct {
	AtMs     int     `json:"atMs"`
	Ms       float64 `json:"ms"`       // -1 while it lasts
	Time     float64 `json:"time"`     // of the playhead, in seconds
	Buffered float64 `json:"buffered"` // seconds ahead of the playhead as it began
	LateMs   float64 `json:"lateMs"`   // the longest that a timer of the page was late around it
}

// dry is how many seconds of media ahead of the playhead mean that the network, not the machine, made
// playback stop.
const dry = 1

// Rebuffers counts the stalls for lack of media. Stalls with media at hand are the machine's: a software
// decoder that shares two cores with everything else does not always get its turn.
func (r Report) Rebuffers() int {
	n := 0
	for _, s := range r.StallDetails {
		if s.Buffered < dry {
			n++
		}
	}
	return n
}

// Bytes are media bytes by source.
type Bytes struct {
	HTTP   int64 `json:"http"`
	Seeder int64 `json:"seeder"` // from peers whose id begins with -PS
	Viewer int64 `json:"viewer"`
}

// Reported is what the tracker's script counts in the same page.
type Reported struct {
	Bytes
	Discarded int64 `json:"discarded"`
	Uploaded  int64 `json:"uploaded"`
}

// Segment is one whole segment that a tab accepted.
type Segment struct {
	URL       string `json:"url"`
	ByteRange string `json:"byteRange"` // "start-end", both included, or empty
	Source    string `json:"source"`    // http or p2p
	SHA256    string `json:"sha256"`    // hex
	Size      int64  `json:"size"`
	AtMs      int    `json:"atMs"`
}

// SegmentError is one failed attempt to get a segment.
type SegmentError struct {
	URL    string `json:"url"`
	Type   string `json:"type"`
	Source string `json:"source"`
	Peer   string `json:"peer"`
	AtMs   int    `json:"atMs"`
}

// Update is what a tracker reported about a swarm.
type Update struct {
	Complete   int  `json:"complete"`
	Incomplete int  `json:"incomplete"`
	Scrape     bool `json:"scrape"`
}

// Total adds up the bytes of several tabs.
func Total(reports ...Report) Bytes {
	var sum Bytes
	for _, r := range reports {
		sum.HTTP += r.Bytes.HTTP
		sum.Seeder += r.Bytes.Seeder
		sum.Viewer += r.Bytes.Viewer
	}
	return sum
}

// All is the sum over all sources.
func (b Bytes) All() int64 { return b.HTTP + b.Seeder + b.Viewer }

// Offload is the share of bytes that came from peers, 0 when there are none.
func (b Bytes) Offload() float64 {
	if b.All() == 0 {
		return 0
	}
	return float64(b.Seeder+b.Viewer) / float64(b.All())
}

// String is a summary in one line.
func (r Report) String() string {
	return fmt.Sprintf("t=%.1fs first=%dms stalls=%d(%.0fms) http=%d seeder=%d viewer=%d up=%d peers=%d segments=%d errors=%d notes=%d warnings=%d",
		r.CurrentTime, r.FirstFrameMs, r.Stalls, r.StallMs+float64(r.StalledNowMs), r.Bytes.HTTP, r.Bytes.Seeder, r.Bytes.Viewer,
		r.UploadBytes, len(r.Peers), len(r.Segments), len(r.Errors), len(r.Notes), len(r.TrackerWarnings))
}

// Dump is the whole report in JSON, with segments by source and name only, for a failure message.
func (r Report) Dump() string {
	var names []string
	for _, s := range r.Segments {
		names = append(names, s.Source+":"+path.Base(s.URL))
	}
	r.Segments = nil
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(raw) + "\nsegments: " + strings.Join(names, " ")
}
