package tracker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/internal/watch"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// siteMap is the map in force, and why its file is not a part of it.
type siteMap struct {
	sites   *sites.Map
	problem stats.SiteMapProblem
	detail  string
}

// siteLoader reads the map. It keeps the last lines that it could read, so that a file which is removed or damaged during an
// event changes nothing.
type siteLoader struct {
	cfg  SitesConfig
	log  *slog.Logger
	file *sites.File
	// loaded is called with each map that is in force from now on.
	loaded func(*sites.Map)
}

// load implements watch.New's load. Its error is about config.sites.file.
func (l *siteLoader) load() (siteMap, error) {
	cfg := l.cfg.Config
	if l.cfg.File != "" {
		b, err := readLimited(l.cfg.File)
		if err != nil {
			return siteMap{}, fmt.Errorf("config.sites.file: %w", err)
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err := d.Decode(&cfg); err != nil {
			return siteMap{}, fmt.Errorf("config.sites.file: decoding %s: %w", l.cfg.File, err)
		}
	}
	var out siteMap
	if l.cfg.MapFile != "" {
		file, err := l.readMap()
		if err == nil {
			l.file = file
		} else {
			out.problem, out.detail = stats.SiteMapUnreadable, err.Error()
			if errors.Is(err, fs.ErrNotExist) {
				out.problem = stats.SiteMapMissing
			}
		}
	}
	m, err := sites.New(cfg, l.file)
	if err != nil {
		return siteMap{}, fmt.Errorf("config.sites.file: %w", err)
	}
	out.sites = m
	l.report(out)
	l.loaded(m)
	return out, nil
}

func (l *siteLoader) readMap() (*sites.File, error) {
	text, err := readLimited(l.cfg.MapFile)
	if err != nil {
		return nil, err
	}
	file, err := sites.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", l.cfg.MapFile, err)
	}
	return file, nil
}

func (l *siteLoader) report(m siteMap) {
	count, prefixes, ignored, shadowed := m.sites.Count()
	l.log.Info("map of sites loaded", "sites", count, "prefixes", prefixes, "ignoredLines", ignored, "shadowedPrefixes", shadowed)
	if m.problem != "" {
		l.log.Warn("the file of sites cannot be used; the sites of its last version apply, or else those of the list alone",
			"file", l.cfg.MapFile, "error", m.detail)
	}
	if p, ok := m.sites.FirstIgnored(); ok {
		l.log.Warn("lines of the file of sites are ignored", "file", l.cfg.MapFile, "first", p.Line, "error", p.Text)
	}
}

// readLimited reads a file of a size that a map may have.
func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading only
	b, err := io.ReadAll(io.LimitReader(f, sites.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(b) > sites.MaxBytes {
		return nil, fmt.Errorf("reading %s: %w", path, sites.ErrTooLarge)
	}
	return b, nil
}

// newSites loads the map, if there are sites, and has it read again when its files change.
func (s *Server) newSites() error {
	if cfg := s.cfg.Sites; cfg != nil {
		l := &siteLoader{cfg: *cfg, log: s.log, loaded: func(m *sites.Map) {
			if s.streams != nil { // else newStreams takes this one
				s.streams.move(m)
			}
		}}
		var files []string
		for _, path := range []string{cfg.File, cfg.MapFile} {
			if path != "" {
				files = append(files, path)
			}
		}
		s.sites = watch.New("map of sites", s.log, l.load, files...)
		if _, err := s.sites.Get(); err != nil {
			return err
		}
		if len(files) > 0 {
			s.watched = append(s.watched, s.sites.Run)
		}
	}
	gauge := func(name, help string, value func(siteMap) int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value(s.siteMap())) })
	}
	for _, c := range []prometheus.Collector{
		gauge("p2pstream_tracker_sites", "Sites in the map, those of a mask excluded.",
			func(m siteMap) int { n, _, _, _ := m.sites.Count(); return n }),
		gauge("p2pstream_tracker_site_prefixes", "Prefixes of the map that are in force.",
			func(m siteMap) int { _, n, _, _ := m.sites.Count(); return n }),
		gauge("p2pstream_tracker_site_map_ignored_lines", "Lines of the file of sites that cannot be used.",
			func(m siteMap) int { _, _, n, _ := m.sites.Count(); return n }),
		gauge("p2pstream_tracker_site_map_shadowed_prefixes", "Prefixes of the map without effect: an earlier site holds them.",
			func(m siteMap) int { _, _, _, n := m.sites.Count(); return n }),
		gauge("p2pstream_tracker_site_map_unusable", "1 while the file of sites is missing or cannot be read, else 0.",
			func(m siteMap) int {
				if m.problem != "" {
					return 1
				}
				return 0
			}),
	} {
		if err := s.reg.Register(c); err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	return nil
}

func (s *Server) siteMap() siteMap {
	if s.sites == nil {
		return siteMap{}
	}
	m, _ := s.sites.Get() // New has loaded the first one
	return m
}

// Sites returns the map of sites in force, nil if no sites are configured. A changed map is another pointer.
func (s *Server) Sites() *sites.Map { return s.siteMap().sites }

// siteStats is what /v1/stats says of the map, nil without one.
func (s *Server) siteStats() *stats.SiteMap {
	m := s.siteMap()
	if m.sites == nil {
		return nil
	}
	out := &stats.SiteMap{Problem: m.problem, Detail: m.detail}
	out.Sites, out.Prefixes, out.IgnoredLines, out.ShadowedPrefixes = m.sites.Count()
	if p, ok := m.sites.FirstIgnored(); ok {
		out.FirstIgnored = &stats.SiteLine{Line: p.Line, Text: p.Text}
	}
	return out
}
