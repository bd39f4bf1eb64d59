package proxy

import (
	"fmt"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// playlist is a media playlist and what it names. The multivariant playlist is
// kept as one, too, for the files that it names.
type playlist struct {
	name      string
	uri       string
	rendition manifest.Rendition
	mesh      bool // its segments come from the engine

	loading chan struct{} // held while a playlist that is not from the engine is loaded
	parts   sync.Once     // logs once that parts are left out

	mu      sync.Mutex
	used    time.Time
	state   *manifest.Playlist // from which text was rewritten
	checked time.Time          // when state was the newest
	text    []byte
	etag    string
	files   map[string]*file
}

// file is what a playlist named.
type file struct {
	manifest.Reference
	gone time.Time // when it left the playlist; zero while it is in it
}

func newPlaylist(uri string, r manifest.Rendition, mesh bool) *playlist {
	return &playlist{name: playlistName(uri), uri: uri, rendition: r, mesh: mesh, loading: make(chan struct{}, 1), files: map[string]*file{}}
}

// target is the target duration, if that is known.
func (l *playlist) target() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == nil {
		return 0
	}
	return l.state.TargetDuration
}

// current is the state served last, and when it was the newest.
func (l *playlist) current() (*manifest.Playlist, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state, l.checked
}

// update takes a state of the playlist, which was the newest when it was
// checked, and returns the text for players.
func (l *playlist) update(state *manifest.Playlist, checked, now time.Time) (text []byte, etag string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used, l.checked = now, checked
	if state == l.state {
		return l.text, l.etag, nil
	}
	named := make(map[string]*file, len(state.Segments)+2)
	text, err = manifest.RewriteMedia(state.Text, state.ResponseURL, l.rendition, func(r manifest.Reference) string {
		name := fileName(r)
		named[name] = &file{Reference: r}
		return name
	})
	if err != nil {
		return nil, "", err
	}
	// Players ask for what has just left the playlist, and may do so for as long as the playlist is (RFC 8216 §6.2.2).
	keep := max(state.Window, 3*state.TargetDuration)
	for name, f := range l.files {
		if named[name] != nil {
			continue
		}
		if f.gone.IsZero() {
			f.gone = now
		}
		if now.Sub(f.gone) <= keep && len(named) < maxFiles {
			named[name] = f
		}
	}
	l.state, l.files, l.text, l.etag = state, named, text, `"`+hash(string(text))+`"`
	return l.text, l.etag, nil
}

// maxFiles bounds the names remembered of one playlist: as many as it may have,
// and as many again that have left it.
const maxFiles = 40_000

// file looks up what a playlist named.
func (l *playlist) file(name string) (manifest.Reference, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ok := l.files[name]
	if !ok {
		return manifest.Reference{}, false
	}
	return f.Reference, true
}

func (l *playlist) remember(name string, r manifest.Reference) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files[name] = &file{Reference: r}
}

// forget drops all that can be loaded again.
func (l *playlist) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state, l.text, l.files = nil, nil, map[string]*file{}
}

func (l *playlist) lastUse() (used time.Time, loaded bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used, l.state != nil
}

// playlists are those of one presentation, and older ones that are in use.
type playlists struct {
	writing sync.Mutex // held while a multivariant playlist is rewritten: a large one takes much more memory than it has bytes

	mu     sync.Mutex
	from   *manifest.Presentation
	byName map[string]*playlist
}

func newPlaylists() *playlists { return &playlists{byName: map[string]*playlist{}} }

// get returns a playlist of the presentation, nil if there is none of that name.
func (p *playlists) get(name string) *playlist {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byName[name]
}

// master rewrites the multivariant playlist for one player and remembers what it
// names.
func (p *playlists) master(from *manifest.Presentation, player string, now time.Time) ([]byte, error) {
	prefix := "p/" + player + "/"
	byName := map[string]*playlist{}
	session := newPlaylist(from.URL, manifest.Rendition{}, false)
	session.name = masterName
	byName[masterName] = session
	mesh := make(map[string]manifest.Rendition, len(from.Renditions))
	for _, r := range from.Renditions {
		mesh[r.URI] = r
	}
	learn := func(uri string) string {
		r, ok := mesh[uri]
		if !ok {
			r = from.Other(uri)
		}
		l := newPlaylist(uri, r, ok)
		byName[l.name] = l
		return prefix + l.name + "/index.m3u8"
	}
	var text []byte
	if single(from) {
		// Players of a media playlist reload it: it needs a name that stays.
		text = fmt.Appendf(nil, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\n%s\n", learn(from.Renditions[0].URI))
	} else {
		var err error
		p.writing.Lock()
		defer p.writing.Unlock()
		text, err = manifest.RewriteMultivariant(from.Text, from.URL, func(r manifest.Reference) string {
			if r.Kind == manifest.RefPlaylist {
				return learn(r.Resource.URL)
			}
			name := fileName(r)
			session.remember(name, r)
			return prefix + masterName + "/" + name
		})
		if err != nil {
			return nil, err
		}
	}
	p.learn(from, byName, now)
	return text, nil
}

// single tells whether the stream is a media playlist without a multivariant one.
func single(p *manifest.Presentation) bool {
	return len(p.Renditions) == 1 && p.Renditions[0].URI == p.URL
}

// learn takes the playlists of a presentation. Known ones stay as they are; those
// that it names no more stay while they are in use.
func (p *playlists) learn(from *manifest.Presentation, byName map[string]*playlist, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.from == from {
		return
	}
	p.from = from
	for name, old := range p.byName {
		used, loaded := old.lastUse()
		known := byName[name] != nil && byName[name].mesh == old.mesh && name != masterName
		if known || (byName[name] == nil && loaded && now.Sub(used) < time.Minute) {
			byName[name] = old
		}
	}
	p.byName = byName
}

// held is how many are loaded.
func (p *playlists) held() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.byName {
		if _, loaded := l.lastUse(); loaded {
			n++
		}
	}
	return n
}

// bound drops the playlists that were used longest ago until at most so many are
// held.
func (p *playlists) bound(most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		var oldest *playlist
		var since time.Time
		held := 0
		for _, l := range p.byName {
			used, loaded := l.lastUse()
			if !loaded {
				continue
			}
			if held++; oldest == nil || used.Before(since) {
				oldest, since = l, used
			}
		}
		if held <= most {
			return
		}
		oldest.forget()
	}
}
