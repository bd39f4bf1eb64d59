package seeder

import (
	"errors"

	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/hashes"
	"github.com/p2pstream/p2pstream/runtime/loader/report"
)

// useHashes prepares what tells the seeder's own trackers the hashes of segments. Foreign trackers do not know them. An edge
// seeder vouches for nothing, because it has most segments from other seeders: it checks those instead.
func (s *Server) useHashes(engine *loader.Engine) error {
	switch {
	case len(s.cfg.Trackers) == 0:
		return nil
	case s.cfg.Site != "":
		return s.checkHashes(engine)
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

// checkHashes has an edge seeder check each segment from another seeder with the hashes that the first tracker has, as viewers
// do.
func (s *Server) checkHashes(engine *loader.Engine) error {
	reports, err := report.URLOf(s.cfg.Trackers[0])
	if err != nil {
		return err
	}
	url := hashes.URLOf(reports)
	if url == "" {
		return errors.New("config.trackers: the URL of the hashes cannot be derived")
	}
	engine.CheckWith(hashes.NewChecker(hashes.CheckerConfig{URL: url, Token: s.currentToken}, s.log))
	return nil
}
