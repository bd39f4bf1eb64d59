package config

import (
	"errors"

	"github.com/p2pstream/p2pstream/internal/validate"
)

// StreamsConfig makes a tracker serve the streams of a table (package table). Each has the paths of a tracker of its own
// under /NAMESPACE/NAME/. The table is changed with PUT /v1/streams on the admin listener.
type StreamsConfig struct {
	// File keeps the table for a restart. The tracker writes it; a file that does not exist is an empty table.
	File string `json:"file"`
	// InitialFile is the table to begin with where File does not exist, as it is or in gzip; a file that does not exist is an empty
	// table. One that cannot be used is logged, and the tracker begins without streams.
	InitialFile string `json:"initialFile,omitempty"`
	// TokenFile holds the token that who changes the table presents as `Authorization: Bearer`, at least 16 bytes; further
	// lines are accepted too, for a rotation with overlap. It is read again when it changes.
	TokenFile string `json:"tokenFile"`
	// FilesDir is the directory that files which entries name must be in; empty: entries name no files.
	FilesDir string `json:"filesDir,omitempty"`
	// STUN, STUNFile and ExternalURL are those of StreamConfig, for all streams.
	STUN        []string `json:"stun,omitempty"`
	STUNFile    string   `json:"stunFile,omitempty"`
	ExternalURL string   `json:"externalURL,omitempty"`
}

func (c Config) validateStreams() error {
	s := c.Streams
	switch {
	case s == nil:
		return nil
	case c.Stream != nil:
		return errors.New("config.stream, config.streams: set one of them")
	case s.File == "":
		return errors.New("config.streams.file: is missing; name a file that the tracker may write")
	case s.TokenFile == "":
		return errors.New("config.streams.tokenFile: is missing; name the file with the token of who changes the table")
	case c.AdminListen == "":
		return errors.New("config.adminListen: is missing; the table of streams is changed there")
	}
	return validate.First(
		validate.Each("config.streams.stun", s.STUN, validate.STUN),
		validate.Optional("config.streams.externalURL", s.ExternalURL, validate.BaseURL),
	)
}
