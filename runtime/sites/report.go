package sites

import (
	"cmp"
	"slices"
)

// Problem is what is wrong with a line.
type Problem struct {
	Line int    `json:"line"`
	Text string `json:"text"`
	// Ignored says that nothing of the line is in force.
	Ignored bool `json:"ignored"`
}

// problems keeps the first ones of each kind, and counts all.
type problems struct {
	kept            []Problem
	ignored, warned int
}

// maxProblems is how many problems of each kind are kept with their lines; all are counted.
const maxProblems = 100

func (p *problems) ignore(line int, text string) {
	if p.ignored++; p.ignored <= maxProblems {
		p.kept = append(p.kept, Problem{line, text, true})
	}
}

func (p *problems) warn(line int, text string) {
	if p.warned++; p.warned <= maxProblems {
		p.kept = append(p.kept, Problem{line, text, false})
	}
}

func (p problems) clone() problems {
	p.kept = slices.Clone(p.kept)
	return p
}

// Report is what a map consists of, for people.
type Report struct {
	// Sites by name in their order, and the number of prefixes in force.
	Sites    []Summary `json:"sites"`
	Prefixes int       `json:"prefixes"`
	Mask     Mask      `json:"mask,omitzero"`
	Fallback Peering   `json:"fallback"`
	// Lines of the file, and how many of them are ignored. Problems lists the first of them, and of the warnings.
	Lines    int       `json:"lines"`
	Ignored  int       `json:"ignored"`
	Warnings int       `json:"warnings"`
	Problems []Problem `json:"problems,omitempty"`
	// Shadowed is the number of prefixes that have no effect; Shadows lists the first of them.
	Shadowed int      `json:"shadowed"`
	Shadows  []Shadow `json:"shadows,omitempty"`
}

// Summary is one site.
type Summary struct {
	Name      string `json:"name"`
	CrossSite bool   `json:"crossSite,omitempty"`
	Gateways  int    `json:"gateways,omitempty"`
	// Prefixes in force, by what the site's viewers there may do.
	Prefixes map[Peering]int `json:"prefixes"`
}

// Count returns how many sites have entries, how many prefixes are in force, how many lines of the file are ignored and how
// many prefixes have no effect.
func (m *Map) Count() (sites, prefixes, ignored, shadowed int) {
	if m == nil {
		return 0, 0, 0, 0
	}
	return len(m.names), m.table.Size(), m.problems.ignored, m.shadowed
}

// FirstIgnored returns the first line of the file that is ignored; ok is false if there is none.
func (m *Map) FirstIgnored() (p Problem, ok bool) {
	if m == nil {
		return p, false
	}
	for _, p := range m.problems.kept {
		if p.Ignored {
			return p, true
		}
	}
	return p, false
}

// Report describes the map. It takes time in proportion to the map's size.
func (m *Map) Report() Report {
	r := Report{Sites: []Summary{}, Fallback: Full}
	if m == nil {
		return r
	}
	r.Mask, r.Fallback, r.Lines, r.Prefixes = m.mask, m.fallback.Peering, m.lines, m.table.Size()
	r.Ignored, r.Warnings, r.Shadowed = m.problems.ignored, m.problems.warned, m.shadowed
	r.Problems, r.Shadows = slices.Clone(m.problems.kept), slices.Clone(m.shadows)
	slices.SortStableFunc(r.Problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	at := map[string]int{}
	for _, name := range m.names {
		at[name] = len(r.Sites)
		r.Sites = append(r.Sites, Summary{Name: name, Prefixes: map[Peering]int{}})
	}
	for _, p := range m.table.All() {
		s := &r.Sites[at[p.site.Name]]
		s.CrossSite, s.Gateways = p.site.CrossSite, p.site.Gateways
		s.Prefixes[p.site.Peering]++
	}
	return r
}
