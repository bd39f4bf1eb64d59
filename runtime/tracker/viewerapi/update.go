package viewerapi

import (
	"maps"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi/settings"
)

// update takes a presentation and one of its playlists, and replaces the facts.
func (f *StreamFollower) update(p *manifest.Presentation, name string, playlist *manifest.Playlist) {
	f.updating.Lock()
	defer f.updating.Unlock()
	f.mu.Lock()
	s := &f.state
	if s.base == "" {
		s.base = p.DefaultSwarmID // and so it stays: the next look may be led to another URL
	}
	if playlist != nil {
		before := swarmOf(s.base, s.event.epoch)
		switch s.event.next(playlist, playlist.FetchedAt) {
		case doubtful:
			f.doubts()
			f.mu.Unlock()
			return
		case begins:
			f.newEvent(before)
		}
	}
	f.doubt.end()
	if first := s.presentation == nil; first || s.forget || !sameRenditions(s.presentation, p) {
		f.askForProbe(first || s.forget)
	}
	s.presentation, s.followed = p, name
	f.mu.Unlock()
	f.renew("")
}

// newEvent drops what is known of the old one. f.mu is held.
func (f *StreamFollower) newEvent(before string) {
	s := &f.state
	f.log.Info("a new event began under the stream's URL", "swarm", swarmOf(s.base, s.event.epoch), "before", before)
	s.former = nil
	for _, r := range f.facts.Renditions {
		for _, h := range r.InfoHashes {
			s.former = append(s.former, h)
		}
	}
	s.evidence, s.forget = manifest.Evidence{}, f.Prober != nil
}

// askForProbe asks for a probe, which pages that join wait for if it is the first of an event. f.mu is held.
func (f *StreamFollower) askForProbe(first bool) {
	if f.Prober == nil {
		return
	}
	if first {
		f.probing.begin(time.Now())
	}
	select {
	case f.probe <- struct{}{}:
	default:
	}
}

func sameRenditions(a, b *manifest.Presentation) bool {
	if len(a.Renditions) != len(b.Renditions) {
		return false
	}
	for i, r := range a.Renditions {
		if o := b.Renditions[i]; r.Type != o.Type || r.ShortID != o.ShortID {
			return false
		}
	}
	return true
}

// Adopt takes the swarm id of a seeder: it knows the epoch that an earlier run of the tracker, or another replica, gave the
// event. A later epoch wins, so that all agree in the end. An id with another base is not taken.
func (f *StreamFollower) Adopt(swarmID string) {
	f.updating.Lock()
	defer f.updating.Unlock()
	f.mu.Lock()
	s := &f.state
	epoch, ok := epochOf(s.base, swarmID)
	if !ok || epoch <= s.event.epoch || time.Unix(epoch, 0).After(time.Now().Add(epochSkew)) {
		f.mu.Unlock()
		return
	}
	f.log.Info("took the swarm of a seeder", "swarm", swarmID, "before", swarmOf(s.base, s.event.epoch))
	s.event.epoch = epoch
	read := s.presentation != nil
	f.facts.SwarmID = swarmID
	problem := f.facts.Problem
	f.mu.Unlock()
	if read {
		f.renew(problem)
	}
}

// renew makes facts of the state, with why it is not newer, and hands them out. f.updating is held.
func (f *StreamFollower) renew(problem string) {
	f.mu.Lock()
	s := f.state
	facts := Facts{Format: s.presentation.Format, SwarmID: swarmOf(s.base, s.event.epoch), FormerHashes: s.former, Problem: problem}
	for _, r := range s.presentation.Renditions {
		hashes := map[string]string{}
		var keys []string
		for _, g := range f.generations() {
			if hash := r.InfoHash(g, facts.SwarmID); hash != "" {
				hashes[string(g)] = string(hash)
				keys = append(keys, r.Key(g))
			}
		}
		facts.Renditions = append(facts.Renditions, Rendition{Name: r.Name, Type: string(r.Type), Bandwidth: r.Bandwidth,
			Codecs: r.Codecs, Resolution: r.Resolution, InfoHashes: hashes, Keys: keys})
	}
	evidence := s.evidence
	evidence.Playlists = maps.Clone(evidence.Playlists)
	if evidence.Playlists == nil {
		evidence.Playlists = map[string]*manifest.Playlist{}
	}
	if f.configured != "" {
		evidence.Masters = nil // all players have the same id, wherever they are led
	}
	if playlist := s.event.last; playlist != nil && s.followed != "" {
		evidence.Playlists[s.followed] = playlist
		facts.At, facts.Followed = playlist.FetchedAt, s.followed
		facts.Playlist = settings.Playlist{Live: playlist.Live && !playlist.Ended, Growing: playlist.Growing(), Segments: len(playlist.Segments),
			TargetDuration: playlist.TargetDuration, Window: playlist.Window, Edge: playlist.LastSequence()}
	}
	verdict := manifest.Judge(s.presentation, evidence)
	facts.judge(verdict)
	before := f.facts
	if f.doubt.running() {
		facts.DoubtSince = f.doubt.since
	}
	f.facts = facts
	f.mu.Unlock()
	switch {
	case before.Problem != "" && problem == "":
		f.log.Info("the stream can be read again")
	case before.Peerable == nil || *before.Peerable != verdict.Peerable || before.Reason != facts.Reason:
		f.log.Info("read the stream", "renditions", len(facts.Renditions), "live", facts.Playlist.Live,
			"peerable", verdict.Peerable, "reason", verdict.Reason, "message", verdict.Message)
	}
	if f.OnFacts != nil {
		f.OnFacts(facts)
	}
}

// generations are those whose swarms are served.
func (f *StreamFollower) generations() []identity.Generation {
	if len(f.Generations) > 0 {
		return f.Generations
	}
	return identity.DefaultGenerations()
}

// judge adds a verdict. A type of rendition that the stream does not have follows the other one, so that a stream of one
// type is off as a whole.
func (f *Facts) judge(v manifest.Verdict) {
	f.Peerable, f.Message, f.MainOff, f.SecondaryOff = &v.Peerable, v.Message, v.MainOff, v.SecondaryOff
	if !v.Peerable {
		f.Reason = v.Reason
	}
	types := map[string]bool{}
	for _, r := range f.Renditions {
		types[r.Type] = true
	}
	if !types[string(identity.Secondary)] {
		f.SecondaryOff = f.MainOff
	}
	if !types[string(identity.Main)] {
		f.MainOff = f.SecondaryOff
	}
}
