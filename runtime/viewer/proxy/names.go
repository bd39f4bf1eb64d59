package proxy

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// masterName is the playlist that has the files which the multivariant playlist
// names.
const masterName = "master"

// hlsName is what players of an HLS stream open.
const hlsName = "master.m3u8"

var text32 = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// hash names a URL: the name is the same after a restart and does not reveal the URL.
func hash(of string) string {
	sum := sha256.Sum256([]byte(of))
	return text32.EncodeToString(sum[:10])
}

// playlistName is the name of a media playlist.
func playlistName(url string) string { return hash(url) }

// fileName is the name of what a playlist refers to. Segments carry their media
// sequence number, so that people and error messages can tell them apart. It
// has the extension of the origin's name: some players depend on that.
func fileName(r manifest.Reference) string {
	name := hash(r.Key())
	switch r.Kind {
	case manifest.RefSegment:
		name = strconv.FormatInt(r.Sequence, 10) + "-" + name
	case manifest.RefInit:
		name = "init-" + name
	case manifest.RefKey:
		name = "key-" + name
	default:
		name = "file-" + name
	}
	return name + extension(r.Resource.URL)
}

// sequenceOf is the media sequence number in the name of a segment; false for
// other names.
func sequenceOf(name string) (int64, bool) {
	number, _, ok := strings.Cut(name, "-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(number, 10, 64)
	return n, err == nil && n >= 0
}

// extension is how the path of a URL ends, with its dot, if that is short and
// plain.
func extension(url string) string {
	if i := strings.IndexAny(url, "?#"); i >= 0 {
		url = url[:i]
	}
	url = url[strings.LastIndexByte(url, '/')+1:]
	dot := strings.LastIndexByte(url, '.')
	if dot < 0 {
		return ""
	}
	ext := strings.ToLower(url[dot+1:])
	if len(ext) < 1 || len(ext) > 5 {
		return ""
	}
	for _, c := range ext {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return ""
		}
	}
	return "." + ext
}

// isPlayer tells whether text can be a player's name.
func isPlayer(text string) bool {
	if len(text) < 4 || len(text) > 32 {
		return false
	}
	for _, c := range text {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
