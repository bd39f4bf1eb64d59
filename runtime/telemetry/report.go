package telemetry

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of one report. They are wide for honest peers and small enough that a report is cheap to refuse.
const (
	MaxReportSize    = 4096 // bytes of JSON
	MaxSessionLength = 128  // bytes of the session
	MaxRenditions    = 32   // renditions in a seeder's state
	MaxNameLength    = 64   // bytes of a rendition's name
	MaxSwarmIDLength = 512  // bytes of a seeder's swarm id; one that is longer is not reported
	MaxSiteLength    = 64   // bytes of the name of an edge seeder's site
	maxVoucherLength = 128  // bytes
	maxPeers         = 1 << 20
	maxCount         = 1 << 31 // stalls, segments
	maxMillis        = 1 << 40 // 34 years
	maxRate          = 1 << 50 // bits per second
)

// ReportVersion is the version of the report format that this package reads and writes.
const ReportVersion = 1

// Role is what the reporting peer does.
type Role string

// The two roles. Only a peer that presents the stream's seeder token is accepted as a seeder.
const (
	RoleViewer Role = "viewer"
	RoleSeeder Role = "seeder"
)

// Report is one peer's report on one session. All numbers are cumulative since the session began, so a lost report
// loses nothing. Sequence rises by at least one with each report sent.
type Report struct {
	Version   int          `json:"v"`
	Session   string       `json:"session,omitempty"` // as given by the tracker; a seeder may send any stable id of its own
	Sequence  int64        `json:"sequence"`          // from 1
	Role      Role         `json:"role"`
	Counters  Counters     `json:"counters"`
	Base      *Counters    `json:"base,omitempty"`     // the counters that any tracker acknowledged last
	Receipts  []Receipt    `json:"receipts,omitempty"` // those of the last acknowledgement of any tracker
	Voucher   string       `json:"voucher,omitempty"`  // that of the last acknowledgement of any tracker
	Peers     int          `json:"peers"`              // connected now
	Stalls    int          `json:"stalls"`             // playback stopped for lack of media, cumulative
	StallMs   int64        `json:"stallMs"`            // milliseconds of it, cumulative
	StartupMs int64        `json:"startupMs"`          // milliseconds from the request to play to the first frame; 0 = not yet
	Checks    *Checks      `json:"checks,omitempty"`   // of segments from peers; a page without the script counts none
	Seeder    *SeederState `json:"seeder,omitempty"`
	// Played tells what came of which rendition, and from which side of the line. Its sums are those of Counters, except for
	// bytes that arrived in between.
	Played []Played `json:"played,omitempty"`
}

// SeederState is what a seeder holds, its load and its limits.
type SeederState struct {
	Renditions     []HeldRendition `json:"renditions"`
	Peers          int             `json:"peers"`          // viewers connected now
	MaxPeers       int             `json:"maxPeers"`       // 0 = no limit
	UplinkBps      int64           `json:"uplinkBps"`      // bits per second sent, recent average
	UplinkLimitBps int64           `json:"uplinkLimitBps"` // bits per second allowed; 0 = no limit
	// SwarmID is the id that the seeder makes its swarms from, as a tracker gave it; empty: not reported. A tracker that
	// restarted learns from it which event the stream is in.
	SwarmID string `json:"swarmID,omitempty"`
	// EdgeSite is the site of an edge seeder, which serves the viewers of that site; empty: the seeder serves all.
	EdgeSite string `json:"edgeSite,omitempty"`
}

// HeldRendition is what a seeder holds of one rendition.
type HeldRendition struct {
	Name     string `json:"name"`
	HeldEdge int64  `json:"heldEdge"` // media sequence of the newest segment held (RFC 8216 §6.2.2); VOD: its index
	Segments int    `json:"segments"` // number of segments held
	// KnownEdge is the media sequence of the newest segment that the seeder has seen published; 0: none or not reported.
	KnownEdge int64 `json:"knownEdge,omitempty"`
}

// Acknowledgement is the reply to an accepted report: the counters that are stored permanently, receipts for what is
// counted above that in ascending order, and the tracker run that replies. A peer sends Acked as the Base of its later
// reports, and the Receipts unchanged.
type Acknowledgement struct {
	Acked    Counters  `json:"acked"`
	Receipts []Receipt `json:"receipts,omitempty"`
	Boot     string    `json:"boot"`
	// SwarmID is the id that peers of this stream are to make their swarms from, now; empty: not known. It changes when a
	// new event begins under the stream's URL.
	SwarmID string `json:"swarmID,omitempty"`
	// NextMs is after how many milliseconds the peer is to report again: the more viewers there are, the more seldom.
	NextMs int64 `json:"nextMs,omitempty"`
	// Voucher says to other trackers that the session has a socket here. A peer sends it with its later reports.
	Voucher string `json:"voucher,omitempty"`
}

// DecodeReport reads one report and checks every bound that needs no memory of earlier reports. Unknown fields are
// ignored, so that a newer peer can talk to an older tracker. The error is always a *RefusalError.
func DecodeReport(b []byte) (Report, error) {
	var r Report
	if len(b) > MaxReportSize {
		return Report{}, refuse(TooLarge, fmt.Sprintf("more than %d bytes", MaxReportSize))
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return Report{}, refuse(Malformed, "body is not a JSON report")
	}
	if r.Version != ReportVersion {
		return Report{}, refuse(WrongVersion, fmt.Sprintf("v must be %d", ReportVersion))
	}
	if err := r.check(); err != nil {
		return Report{}, err
	}
	return r, nil
}

func (r *Report) check() error {
	if r.Role != RoleViewer && r.Role != RoleSeeder {
		return refuse(Malformed, `role is neither "viewer" nor "seeder"`)
	}
	if len(r.Session) > MaxSessionLength || !printable(r.Session) {
		return refuse(Malformed, "session is too long or not printable ASCII")
	}
	if len(r.Voucher) > maxVoucherLength || !printable(r.Voucher) {
		return refuse(Malformed, "voucher is too long or not printable ASCII")
	}
	if r.Sequence < 1 || r.Sequence > MaxCounter {
		return refuse(Malformed, "sequence is not a positive integer")
	}
	if reason := r.Counters.check(); reason != "" {
		return refuse(reason, "counters")
	}
	if r.Base != nil {
		if reason := r.Base.check(); reason != "" {
			return refuse(reason, "base")
		}
		if !r.Counters.AtLeast(*r.Base) {
			return refuse(Inconsistent, "base is above counters")
		}
	}
	if err := r.checkReceipts(); err != nil {
		return err
	}
	if err := r.checkPlayed(); err != nil {
		return err
	}
	if !within(int64(r.Peers), maxPeers) || !within(int64(r.Stalls), maxCount) ||
		!within(r.StallMs, maxMillis) || !within(r.StartupMs, maxMillis) {
		return refuse(Malformed, "peers, stalls, stallMs or startupMs out of range")
	}
	if !r.checks().valid() {
		return refuse(Malformed, "checks out of range")
	}
	if r.Seeder == nil {
		return nil
	}
	if r.Role != RoleSeeder {
		return refuse(Malformed, "a viewer must not report a seeder state")
	}
	return r.Seeder.check()
}

func (s *SeederState) check() error {
	if !within(int64(s.Peers), maxPeers) || !within(int64(s.MaxPeers), maxPeers) ||
		!within(s.UplinkBps, maxRate) || !within(s.UplinkLimitBps, maxRate) {
		return refuse(Malformed, "seeder limits out of range")
	}
	if len(s.SwarmID) > MaxSwarmIDLength || !utf8.ValidString(s.SwarmID) || strings.ContainsFunc(s.SwarmID, unicode.IsControl) {
		return refuse(Malformed, "swarm id is too long or not printable")
	}
	if len(s.EdgeSite) > MaxSiteLength || !utf8.ValidString(s.EdgeSite) || strings.ContainsFunc(s.EdgeSite, unicode.IsControl) {
		return refuse(Malformed, "name of the site is too long or not printable")
	}
	if len(s.Renditions) > MaxRenditions {
		return refuse(Malformed, fmt.Sprintf("more than %d renditions", MaxRenditions))
	}
	for _, h := range s.Renditions {
		if h.Name == "" || len(h.Name) > MaxNameLength || !printable(h.Name) {
			return refuse(Malformed, "rendition name is empty, too long or not printable ASCII")
		}
		if h.HeldEdge < -1 || h.HeldEdge > MaxCounter || !within(h.KnownEdge, MaxCounter) || !within(int64(h.Segments), maxCount) {
			return refuse(Malformed, "held edge, known edge or segments out of range")
		}
	}
	return nil
}

func within(v, limit int64) bool { return v >= 0 && v <= limit }

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
