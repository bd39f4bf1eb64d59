package seeder

import (
	"fmt"
	"io"
	"os"

	"github.com/p2pstream/p2pstream/internal/watch"
	"github.com/p2pstream/p2pstream/runtime/seeder/config"
	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
)

// useJoinFile fills what the configuration leaves to the join file, and presents its credential as a token.
func (s *Server) useJoinFile() error {
	read := readJoinFile(s.cfg.JoinFile)
	file, err := read()
	if err != nil {
		return fmt.Errorf("reading config.joinFile: %w", err)
	}
	s.cfg = joined(s.cfg, file)
	if err := s.cfg.Validate(); err != nil {
		return fmt.Errorf("using config.joinFile: %w", err)
	}
	s.token = watch.New("credential of the join file", s.log, func() (string, error) {
		file, err := read()
		return file.Credential, err
	}, s.cfg.JoinFile)
	_, err = s.token.Get()
	return err
}

// joined fills the fields that are empty.
func joined(c Config, f joins.File) config.Config {
	if c.Source == "" {
		c.Source = f.Source
		if c.SwarmID == "" {
			c.SwarmID = f.SwarmID
		}
	}
	if len(c.Trackers)+len(c.ForeignTrackers) == 0 {
		c.Trackers = f.Trackers
	}
	if len(c.STUN) == 0 {
		c.STUN = f.STUN
	}
	if c.Site == "" {
		c.Site = f.Site
	}
	return c
}

func readJoinFile(name string) func() (joins.File, error) {
	return func() (joins.File, error) {
		f, err := os.Open(name)
		if err != nil {
			return joins.File{}, err
		}
		defer f.Close() //nolint:errcheck // opened for reading only
		b, err := io.ReadAll(io.LimitReader(f, joins.MaxFile+1))
		if err != nil {
			return joins.File{}, err
		}
		return joins.ParseFile(b)
	}
}
