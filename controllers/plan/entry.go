package plan

import (
	"encoding/json"
	"fmt"
	"strings"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// maxEntryBytes bounds what one stream takes of the table that all streams of a network share (table.MaxBytes). An entry has a
// kilobyte or two.
const maxEntryBytes = 64 << 10

// Entry returns what the trackers of a network are told about a stream that Attach returned. Hashes are those of its seeders'
// tokens. An *InvalidError means that the spec of the stream must change.
func Entry(attached *v1.P2PStream, hashes []string) (table.Entry, error) {
	p := &planner{stream: attached, spec: attached.Spec.WithDefaults()}
	stream := p.streamConfig()
	stream.STUNFile, stream.ExternalURL = "", ""
	e := table.Entry{Namespace: attached.Namespace, Name: attached.Name, UID: string(attached.UID), Stream: *stream, SeederTokenHashes: hashes}
	for _, o := range p.spec.Tracker.AllowedOrigins {
		e.AllowedOrigins = append(e.AllowedOrigins, string(o))
	}
	// One entry that a tracker refuses would keep the whole table from changing.
	if err := (table.Table{Streams: []table.Entry{e}}).Validate(table.Rules{}); err != nil {
		return e, &InvalidError{err}
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return e, fmt.Errorf("encoding entry of the table: %w", err)
	}
	if len(raw) > maxEntryBytes {
		return e, &InvalidError{fmt.Errorf("spec.source: takes %d bytes in the table of the tracker, which must be %d at most; shorten signedPaths and URLs", len(raw), maxEntryBytes)}
	}
	return e, nil
}

// attachedEndpoints are the URLs of a stream at the entrance of its network.
func (p *planner) attachedEndpoints() v1.EndpointsStatus {
	n := p.facts.Network
	e := v1.EndpointsStatus{STUN: n.STUN}
	if n.URL == "" {
		return e
	}
	own := strings.TrimSuffix(n.URL, "/") + p.path()
	e.Announce = "ws" + strings.TrimPrefix(own, "http") + "/announce"
	e.Config, e.Player = own+"/v1/config", own+"/player"
	return e
}

// path of an attached stream on the trackers of its network.
func (p *planner) path() string {
	return table.Key{Namespace: p.stream.Namespace, Name: p.stream.Name}.Prefix()
}

// trackerURL is where seeders connect.
func (p *planner) trackerURL() string {
	if n := p.facts.Network; n != nil {
		return "ws://" + hostOf(TrackerInternalName(NetworkBase(n.Name)), n.Namespace, PortTrackerInternal) + p.path() + "/announce"
	}
	return "ws://" + p.serviceHost(TrackerInternalName(p.stream.Name), PortTrackerInternal) + "/announce"
}
