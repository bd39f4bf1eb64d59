package table

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/p2pstream/p2pstream/internal/validate"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
)

// Rules are what a tracker allows its entries.
type Rules struct {
	// Dir is the directory that files of entries must be in; empty: entries name no files.
	Dir string
}

// Parse reads a table and checks it. The error names the entry and the field. Fields that it does not know are ignored:
// they are those of a newer writer.
func Parse(b []byte, rules Rules) (Table, error) {
	if len(b) > MaxBytes {
		return Table{}, fmt.Errorf("the table has more than %d bytes", MaxBytes)
	}
	var raw struct {
		Revision string            `json:"revision"`
		Streams  []json.RawMessage `json:"streams"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&raw); err != nil {
		return Table{}, fmt.Errorf(`decoding the table: %w; send {"revision":"1","streams":[…]}`, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Table{}, errors.New("decoding the table: something follows it")
	}
	if len(raw.Streams) > MaxEntries {
		return Table{}, fmt.Errorf("streams: has %d entries; at most %d are accepted", len(raw.Streams), MaxEntries)
	}
	t := Table{Revision: raw.Revision, Streams: make([]Entry, len(raw.Streams))}
	for i, text := range raw.Streams {
		if err := json.Unmarshal(text, &t.Streams[i]); err != nil {
			return Table{}, fmt.Errorf("streams[%d]: %w", i, err)
		}
	}
	return t, t.Validate(rules)
}

// Validate returns an error for the first field that cannot be used, with its entry.
func (t Table) Validate(rules Rules) error {
	if len(t.Revision) > MaxRevision {
		return fmt.Errorf("revision: has %d bytes; at most %d are accepted", len(t.Revision), MaxRevision)
	}
	if len(t.Streams) > MaxEntries {
		return fmt.Errorf("streams: has %d entries; at most %d are accepted", len(t.Streams), MaxEntries)
	}
	seen := make(map[Key]int, len(t.Streams))
	for i, e := range t.Streams {
		if err := e.validate(rules); err != nil {
			return fmt.Errorf("streams[%d] (%s): %w", i, e.Key(), err)
		}
		if first, ok := seen[e.Key()]; ok {
			return fmt.Errorf("streams[%d] (%s): name: is also that of streams[%d]", i, e.Key(), first)
		}
		seen[e.Key()] = i
	}
	return nil
}

// Names as Kubernetes has them: labels and subdomains of RFC 1123.
const (
	label    = `[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?`
	maxNames = 253
)

var (
	namespaces = regexp.MustCompile(`^` + label + `$`)
	names      = regexp.MustCompile(`^` + label + `(\.` + label + `)*$`)
)

func (e Entry) validate(rules Rules) error {
	if !namespaces.MatchString(e.Namespace) {
		return fmt.Errorf("namespace: %s is no name of a namespace", quoted(e.Namespace))
	}
	if len(e.Name) > maxNames || !names.MatchString(e.Name) {
		return fmt.Errorf("name: %s is no name of a stream", quoted(e.Name))
	}
	if len(e.UID) > maxNames {
		return fmt.Errorf("uid: has %d bytes; at most %d are accepted", len(e.UID), maxNames)
	}
	if len(e.AllowedOrigins) > MaxOrigins {
		return fmt.Errorf("allowedOrigins: has %d origins; at most %d are accepted", len(e.AllowedOrigins), MaxOrigins)
	}
	if len(e.SeederTokenHashes) > MaxTokenHashes {
		return fmt.Errorf("seederTokenHashes: has %d hashes; at most %d are accepted", len(e.SeederTokenHashes), MaxTokenHashes)
	}
	if _, err := e.Hashes(); err != nil {
		return err
	}
	// The entry is checked as the configuration of a tracker for this stream alone.
	if err := (config.Config{Stream: &e.Stream, AllowedOrigins: e.AllowedOrigins}).Validate(); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "config."))
	}
	if e.Share < 0 || e.Share > MaxShare {
		return fmt.Errorf("share: %d is outside 1 to %d", e.Share, MaxShare)
	}
	l := e.Limits
	return validate.First(
		e.common(),
		e.files(rules),
		validate.AtLeast("limits.sockets", l.Sockets, 0),
		validate.AtLeast("limits.peersPerSwarm", l.PeersPerSwarm, 0),
		validate.AtLeast("limits.sessions", l.Sessions, 0),
		validate.AtLeast("limits.reportsPerSecond", l.ReportsPerSecond, 0),
	)
}

// common returns an error for a field that all streams of a tracker have together.
func (e Entry) common() error {
	s := e.Stream
	switch {
	case len(s.STUN) > 0 || s.STUNFile != "":
		return errors.New("stream.stun: the tracker's servers are for all streams; leave it out")
	case s.ExternalURL != "":
		return errors.New("stream.externalURL: the tracker's URL is for all streams; leave it out")
	case s.AnySwarm:
		return errors.New("stream.anySwarm: a tracker of several streams serves their swarms alone; leave it out")
	}
	return nil
}

// files returns an error for a file outside of the directory for them: a table must not make a tracker send what it can
// read to an origin.
func (e Entry) files(rules Rules) error {
	keys := ""
	if t := e.Stream.ViewerTokens; t != nil {
		keys = t.KeysDir
	}
	for _, f := range []struct{ field, file string }{
		{"stream.headersDir", e.Stream.HeadersDir}, {"stream.caFile", e.Stream.CAFile}, {"stream.viewerTokens.keysDir", keys},
	} {
		switch {
		case f.file == "":
		case rules.Dir == "":
			return fmt.Errorf("%s: this tracker has no directory for files of streams; set streams.filesDir in its configuration", f.field)
		case !strings.HasPrefix(path.Clean(f.file), path.Clean(rules.Dir)+"/"):
			return fmt.Errorf("%s: %s is not in %s, the tracker's directory for files of streams", f.field, quoted(f.file), rules.Dir)
		}
	}
	return nil
}

// Hashes returns SeederTokenHashes, or an error for the first one that is none.
func (e Entry) Hashes() ([]doors.Hash, error) {
	all := make([]doors.Hash, 0, len(e.SeederTokenHashes))
	for i, text := range e.SeederTokenHashes {
		h, err := doors.ParseHash(text)
		if err != nil {
			return nil, fmt.Errorf("seederTokenHashes[%d]: %w", i, err)
		}
		all = append(all, h)
	}
	return all, nil
}

// maxQuoted is how much of a text from outside an error repeats, in bytes.
const maxQuoted = 80

func quoted(text string) string {
	if len(text) > maxQuoted {
		return fmt.Sprintf("%q…", text[:maxQuoted])
	}
	return fmt.Sprintf("%q", text)
}
