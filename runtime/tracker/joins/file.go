package joins

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// MaxFile is the longest file that is read, in bytes.
const MaxFile = 64 << 10

// File is what an edge seeder outside of the cluster needs: JSON, as `p2pstream join create` writes it. The file is a secret.
type File struct {
	// Site is the name of the site, ID and Expires are those of the credential: they are for the reader, and must agree with it.
	Site    string    `json:"site"`
	ID      string    `json:"id"`
	Expires time.Time `json:"expires"`
	// Credential is presented to the trackers.
	Credential string `json:"credential"`
	// Trackers are their announce URLs, wss:// or ws://.
	Trackers []string `json:"trackers"`
	// Source is the manifest URL, and SwarmID the name of the swarm; empty: what players derive from the manifest URL.
	Source  string `json:"source"`
	SwarmID string `json:"swarmID,omitempty"`
	// STUN are servers that tell the seeder its public address, stun:host:port.
	STUN []string `json:"stun,omitempty"`
}

// ParseFile reads a join file. The error names what is missing.
func ParseFile(b []byte) (f File, err error) {
	if len(b) > MaxFile {
		return f, fmt.Errorf("reading join file: it has more than %d bytes", MaxFile)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("decoding join file: %w", err)
	}
	switch {
	case !Is(f.Credential):
		return f, errors.New("reading join file: credential is missing; make the file with: p2pstream join create")
	case !validSite(f.Site):
		return f, fmt.Errorf("reading join file: site %q is not the name of a site", f.Site)
	case len(f.Trackers) == 0:
		return f, errors.New("reading join file: trackers is empty")
	case f.Source == "":
		return f, errors.New("reading join file: source is missing")
	}
	return f, nil
}

// Encode returns the file as text.
func (f File) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(f); err != nil {
		return nil, fmt.Errorf("encoding join file: %w", err)
	}
	return b.Bytes(), nil
}
