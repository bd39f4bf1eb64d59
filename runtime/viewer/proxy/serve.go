package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
)

// Cache-Control of what players get.
const (
	cacheNever      = "no-store"
	cacheRevalidate = "no-cache"
	cacheShortly    = "max-age=60"
	cacheLong       = "max-age=3600"
)

// master answers with the multivariant playlist, as a new player's own.
func (h *handler) master(w *writer, r *http.Request) error {
	text, err := h.presentation(r.Context(), newPlayerName())
	if err != nil {
		return err
	}
	w.text(r, text, "", cacheNever)
	return nil
}

// media answers with a media playlist.
func (h *handler) media(w *writer, r *http.Request, player *player, l *playlist) error {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	text, etag, ended, err := h.load(ctx, player, l, freshness(l.target()))
	if err != nil {
		return explain("the playlist of "+l.rendition.Name, err)
	}
	cache := cacheRevalidate
	if ended {
		cache = cacheShortly
	}
	w.text(r, text, etag, cache)
	return nil
}

// freshness is how old a live playlist may be: one load serves several players,
// and none is much later than without the proxy.
func freshness(target time.Duration) time.Duration {
	return min(max(target/4, 200*time.Millisecond), time.Second)
}

// load refreshes a playlist. While the origin fails, players get the last state
// for a while: an error would end their playback.
func (h *handler) load(ctx context.Context, player *player, l *playlist, maxAge time.Duration) (text []byte, etag string, ended bool, err error) {
	var state *manifest.Playlist
	var checked time.Time
	if l.mesh {
		watch, done, werr := player.watch(ctx, h.s.client.Engine(), l)
		if werr != nil {
			return nil, "", false, werr
		}
		state, checked, err = watch.Playlist(ctx, maxAge)
		done()
	} else {
		state, checked, err = h.loadPlain(ctx, l, maxAge)
	}
	if state == nil || (err != nil && !usable(state, checked, err)) {
		return nil, "", false, err
	}
	if text, etag, err = l.update(state, checked, time.Now()); err == nil {
		h.s.playlists.bound(maxPlaylists)
	}
	if state.LowLatencyParts {
		l.parts.Do(func() {
			h.s.log.Info("low-latency parts are left out, since peers exchange whole segments", "rendition", l.rendition.Name)
		})
	}
	return text, etag, state.Ended, err
}

// usable tells whether a state that cannot be refreshed may still be served.
func usable(state *manifest.Playlist, checked time.Time, err error) bool {
	age := time.Since(checked)
	if manifest.ReasonOf(err) == manifest.ReasonWentBackwards {
		return age < 3*time.Minute // until it is clear whether the stream restarted
	}
	return age < max(3*state.TargetDuration, patience)
}

// loadPlain loads a playlist that the engine does not follow.
func (h *handler) loadPlain(ctx context.Context, l *playlist, maxAge time.Duration) (*manifest.Playlist, time.Time, error) {
	select {
	case l.loading <- struct{}{}:
		defer func() { <-l.loading }()
	case <-ctx.Done():
		return nil, time.Time{}, ctx.Err()
	}
	state, checked := l.current()
	if state != nil && (state.Ended || time.Since(checked) < maxAge) {
		return state, checked, nil
	}
	now := time.Now()
	fresh, err := h.s.client.Source().LoadPlaylist(ctx, l.rendition)
	if err != nil {
		return state, checked, err
	}
	if state != nil && bytes.Equal(state.Text, fresh.Text) {
		fresh = state
	}
	return fresh, now, nil
}

// file answers with what a playlist names.
func (h *handler) file(w *writer, r *http.Request, player *player, l *playlist, name string) (kind string, err error) {
	ref, ok := l.file(name)
	if !ok && l.name != masterName {
		// The proxy was restarted, or has not loaded this playlist for a long time.
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		if _, _, _, err := h.load(ctx, player, l, time.Minute); err != nil {
			return kindOther, explain(fmt.Sprintf("%s of %s", describe(name), l.rendition.Name), err)
		}
		ref, ok = l.file(name)
	}
	if !ok {
		return kindOther, h.unknown(l, name)
	}
	what := fmt.Sprintf("%s of %s", describe(name), l.rendition.Name)
	switch {
	case ref.Kind == manifest.RefSegment && l.mesh:
		return kindSegment, h.segment(w, r, player, l, ref, what)
	case ref.Kind == manifest.RefFile:
		return kindResource, h.ranges(w, r, ref, what)
	}
	return kindResource, h.resource(w, r, l, ref, what)
}

// describe names a file in words.
func describe(name string) string {
	if n, ok := sequenceOf(name); ok {
		return "segment " + strconv.FormatInt(n, 10)
	}
	kind, _, _ := strings.Cut(name, "-")
	switch kind {
	case "init":
		return "an initialization section"
	case "key":
		return "a key"
	}
	return "a file"
}

// unknown says what is wrong with a name that no playlist has.
func (h *handler) unknown(l *playlist, name string) *problem {
	n, isSegment := sequenceOf(name)
	state, _ := l.current()
	if !isSegment || state == nil {
		return notFound("%s of %s: the playlist does not name it", describe(name), l.rendition.Name)
	}
	switch {
	case n < state.MediaSequence:
		return &problem{status: http.StatusGone,
			text: fmt.Sprintf("segment %d of %s has left the playlist, which starts at %d", n, l.rendition.Name, state.MediaSequence)}
	case n > state.LastSequence():
		return notFound("segment %d of %s is not published yet; the newest is %d", n, l.rendition.Name, state.LastSequence())
	}
	return notFound("segment %d of %s: the playlist has another segment with this number", n, l.rendition.Name)
}

// segment answers with a segment that the engine gets from peers or the origin.
func (h *handler) segment(w *writer, r *http.Request, player *player, l *playlist, ref manifest.Reference, what string) error {
	asked := time.Now()
	watch, done, err := player.watch(r.Context(), h.s.client.Engine(), l)
	if err != nil {
		return explain(what, err)
	}
	defer done()
	// A rendition that has just been woken must know its segments first.
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	state, _, err := watch.Playlist(ctx, time.Hour)
	if state == nil {
		return explain(what, err)
	}
	reader, err := watch.Open(r.Context(), ref.Key())
	if errors.Is(err, ondemand.ErrUnknownSegment) && ref.Sequence < state.MediaSequence {
		return &problem{status: http.StatusGone, text: fmt.Sprintf("%s has left the playlist, which starts at %d", what, state.MediaSequence)}
	}
	if err != nil {
		return explain(what, err)
	}
	defer func() { _ = reader.Close() }() // it never fails
	size, err := reader.Size()
	if err != nil {
		return explain(what, err)
	}
	var first []byte
	if _, known := typesByExtension[extension(ref.Resource.URL)]; !known {
		first = make([]byte, min(int64(needed), size))
		if _, err := io.ReadFull(reader, first); err != nil {
			return explain(what, err)
		}
	}
	cache := cacheLong
	if !state.Ended {
		cache = cacheShortly
	}
	w.header(mediaType(ref.Resource.URL, l.rendition.Type == identity.Secondary, first), cache,
		fmt.Sprintf(`"%s-%d"`, hash(ref.Key()), size))
	w.first = func() { h.s.metrics.wait.Observe(time.Since(asked).Seconds()) }
	http.ServeContent(w, r, "", time.Time{}, reader)
	return nil
}

// resource answers with what peers do not share.
func (h *handler) resource(w *writer, r *http.Request, l *playlist, ref manifest.Reference, what string) error {
	data, err := h.s.resources.get(r.Context(), h.s.client.Source(), ref)
	if err != nil {
		return explain(what, err)
	}
	cache := cacheShortly
	if ref.Kind == manifest.RefKey {
		cache = cacheNever
	}
	w.header(mediaType(ref.Resource.URL, l.rendition.Type == identity.Secondary, data), cache, `"`+hash(string(data))+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}

// ranges answers for a file of which players take ranges that they know from the
// playlist of I-frames: each is asked of the origin and passed on.
func (h *handler) ranges(w *writer, r *http.Request, ref manifest.Reference, what string) error {
	resource := ref.Resource
	from, to, ranged := closedRange(r.Header.Get("Range"))
	if ranged && r.Method == http.MethodGet && r.Header.Get("If-Range") == "" {
		resource.Range = &manifest.ByteRange{Offset: from, Length: to - from + 1}
	} else {
		ranged = false
	}
	ctx, cancel := context.WithTimeout(r.Context(), resourceTimeout)
	defer cancel()
	body, total, err := h.s.client.Source().FetchResource(ctx, resource)
	if err != nil {
		return explain(what, err)
	}
	defer func() { _ = body.Close() }() // read to its end or given up
	w.header(mediaType(ref.Resource.URL, false, nil), cacheShortly, "")
	if total >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(total, 10))
	}
	status := http.StatusOK
	if ranged {
		status = http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/*", from, to))
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	if _, err := io.Copy(w, body); err != nil && r.Context().Err() == nil {
		panic(http.ErrAbortHandler) // the player must not take these bytes for the whole file
	}
	return nil
}

// closedRange reads a Range header with one range that says where it ends.
func closedRange(header string) (from, to int64, ok bool) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	from, err1 := strconv.ParseInt(strings.TrimSpace(first), 10, 53)
	to, err2 := strconv.ParseInt(strings.TrimSpace(last), 10, 53)
	return from, to, ok && dash && err1 == nil && err2 == nil && from >= 0 && to >= from
}
