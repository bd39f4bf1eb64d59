package proxy

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"
)

// Where segments follow from a clock, a player may ask for one a moment before the engine has it in its list.
const (
	publishWait = 2 * time.Second
	publishPoll = 100 * time.Millisecond
)

// mpdFile answers with what an MPD named.
func (h *handler) mpdFile(w *writer, r *http.Request, player *player, name, directory, file string) (kind string, err error) {
	target, l, ok := h.s.mpds.find(directory, file)
	if !ok {
		// The proxy was restarted, or the player has not loaded the MPD for a long time.
		if _, err := h.mpdText(r, name); err != nil {
			return kindOther, err
		}
		if target, l, ok = h.s.mpds.find(directory, file); !ok {
			return kindOther, notFound("the MPD does not name %q; start at /%s", clip(file), mpdName)
		}
	}
	what := fmt.Sprintf("%s of %s", clip(file), cmp.Or(target.Rendition, "the MPD"))
	ref := manifest.Reference{Kind: manifest.RefInit, Resource: originOf(target.Resource)}
	switch {
	case target.Kind == dash.TargetFile:
		return h.mpdRange(w, r, player, l, ref, what)
	case target.Kind == dash.TargetSegment && l != nil:
		segment, err := h.published(r.Context(), player, l, ref.Resource, what)
		if err != nil {
			return kindSegment, err
		}
		return kindSegment, h.segment(w, r, player, l, segment, what)
	}
	data, err := h.s.resources.get(r.Context(), h.s.client.Source(), ref)
	if err != nil {
		return kindResource, explain(what, err)
	}
	w.body(r, mediaType(ref.Resource.URL, target.Audio, data), data, `"`+hash(string(data))+`"`, cacheShortly)
	return kindResource, nil
}

func originOf(r dash.Resource) manifest.Resource {
	out := manifest.Resource{URL: r.URL, Alternatives: r.Alternatives}
	if r.Range != nil {
		out.Range = &manifest.ByteRange{Offset: r.Range.Offset, Length: r.Range.Length}
	}
	return out
}

// published finds a segment that the MPD names, and waits a moment for one that is about to be there.
func (h *handler) published(ctx context.Context, player *player, l *playlist, resource manifest.Resource, what string) (manifest.Reference, error) {
	watch, done, err := player.watch(ctx, h.s.client.Engine(), l)
	if err != nil {
		return manifest.Reference{}, explain(what, err)
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begun := time.Now()
	for age := time.Hour; ; age = publishPoll {
		state, _, err := watch.Playlist(ctx, age)
		if state == nil {
			return manifest.Reference{}, explain(what, err)
		}
		if ref, ok := state.Find(resource); ok {
			return ref, nil
		}
		if state.Ended || time.Since(begun) >= publishWait {
			return manifest.Reference{}, notFound("%s is not there: it is not published yet, or has left the window", what)
		}
		select {
		case <-time.After(publishPoll):
		case <-ctx.Done():
			return manifest.Reference{}, explain(what, ctx.Err())
		}
	}
}

// mpdRange answers for a file of which a player takes ranges that it knows from an index: segments come from the engine, all
// else from the origin.
func (h *handler) mpdRange(w *writer, r *http.Request, player *player, l *playlist, ref manifest.Reference, what string) (kind string, err error) {
	from, to, ranged := closedRange(r.Header.Get("Range"))
	if !ranged || l == nil || r.Method != http.MethodGet || r.Header.Get("If-Range") != "" {
		return kindResource, h.ranges(w, r, ref, what)
	}
	watch, done, err := player.watch(r.Context(), h.s.client.Engine(), l)
	if err != nil {
		return kindOther, explain(what, err)
	}
	defer done()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	state, _, err := watch.Playlist(ctx, time.Hour)
	if state == nil {
		return kindOther, explain(what, err)
	}
	span := manifest.Resource{URL: ref.Resource.URL, Range: &manifest.ByteRange{Offset: from, Length: to - from + 1}}
	segment, ok := state.Find(span)
	if !ok {
		return kindResource, h.ranges(w, r, ref, what)
	}
	reader, err := watch.Open(r.Context(), segment.Key())
	if err != nil {
		return kindSegment, explain(what, err)
	}
	defer func() { _ = reader.Close() }() // it never fails
	size, err := reader.Size()
	if err != nil {
		return kindSegment, explain(what, err)
	}
	w.header(mediaType(ref.Resource.URL, false, nil), cacheShortly, "")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/*", from, to))
	w.WriteHeader(http.StatusPartialContent)
	if _, err := io.Copy(w, reader); err != nil && r.Context().Err() == nil {
		panic(http.ErrAbortHandler) // the player must not take these bytes for the whole segment
	}
	return kindSegment, nil
}
