package swarm

// mostMates is how many seeders a seeder is introduced to that share its work: they fetch one copy together.
const mostMates = 7

// seek gives up to n offers of a seeder to the seeders that it fills from: those of an edge seeder to Config.Seeders of those
// that serve all sites, and to those of its own site; those of central seeders to each other.
func (r *routing) seek(n int) {
	from := r.from
	if !from.sock.Place.Edge {
		r.toSeeders(&r.s.seeders, min(n, mostMates-from.insiders))
		r.relink(n-r.given(), func(p *Peer) bool { return share(from.sock, p.sock) }, r.s.cfg.RelinkSeederAfter)
		return
	}
	r.toSeeders(&r.s.seeders, min(n, r.s.cfg.Seeders-from.seeders))
	if w := r.s.sites[from.sock.Place.Site]; w != nil {
		r.toSeeders(&w.seeders, min(n-r.given(), mostMates-from.insiders))
	}
	r.relink(n-r.given(), func(p *Peer) bool { return p.sock.Seeder }, r.s.cfg.RelinkSeederAfter)
}

// lacksSeeders reports whether p is a seeder that could fill from more seeders outside of its site.
func (s *Swarm) lacksSeeders(p *Peer) bool {
	if !p.sock.Seeder {
		return false
	}
	others := s.seeders.n - asInt(p.place.bucket >= 0)
	if !p.sock.Place.Edge {
		return p.seeking && p.insiders < min(mostMates, others)
	}
	return p.seeders < min(s.cfg.Seeders, others)
}

// nudgeEdges has edge seeders announce soon that can fill from a seeder that has just come.
func (c *Core) nudgeEdges(s *Swarm) {
	for _, w := range s.siteList {
		for _, class := range w.seeders.classes {
			for _, p := range class {
				if s.lacksSeeders(p) {
					c.nudge(p)
				}
			}
		}
	}
}
