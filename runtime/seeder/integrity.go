package seeder

import (
	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/hashes"
)

// tellHashes prepares what tells the seeder's own trackers the hashes of segments. Foreign trackers do not know them.
func (s *Server) tellHashes(engine *loader.Engine) error {
	if len(s.cfg.Trackers) == 0 {
		return nil
	}
	journal := hashes.NewJournal()
	for _, t := range s.cfg.Trackers {
		r, err := hashes.NewReporter(hashes.ReporterConfig{Tracker: t, Seeder: s.session, Token: s.currentToken}, journal, s.log)
		if err != nil {
			return err
		}
		s.hashReporters = append(s.hashReporters, r)
	}
	engine.TellHashes(journal)
	return nil
}
