package proxy

import (
	"bytes"
)

const playlistType = "application/vnd.apple.mpegurl"

// typesByExtension are the media types of the files of streams. Bytes from
// peers have none.
var typesByExtension = map[string]string{
	".ts": "video/mp2t", ".m2ts": "video/mp2t",
	".mp4": "video/mp4", ".m4s": "video/mp4", ".m4v": "video/mp4", ".cmfv": "video/mp4",
	".m4a": "audio/mp4", ".cmfa": "audio/mp4",
	".aac": "audio/aac", ".mp3": "audio/mpeg", ".ac3": "audio/ac3", ".ec3": "audio/eac3",
	".vtt": "text/vtt", ".webvt": "text/vtt", ".cmft": "application/mp4", ".ttml": "application/ttml+xml",
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
	".json": "application/json", ".key": "application/octet-stream",
}

const unknownType = "application/octet-stream"

// needed is how many bytes sniff wants to see.
const needed = 4 * packet

const packet = 188 // bytes of an MPEG-2 transport stream

// mediaType is the type of a body: by its name, else by its first bytes. It is
// never that of a page or a script.
func mediaType(name string, audio bool, body []byte) string {
	kind, ok := typesByExtension[extension(name)]
	if !ok {
		kind = sniff(body)
	}
	if audio && kind == "video/mp4" {
		kind = "audio/mp4"
	}
	return kind
}

func sniff(b []byte) string {
	switch {
	case len(b) > packet && b[0] == 'G' && b[packet] == 'G':
		return "video/mp2t"
	case bytes.HasPrefix(b, []byte("ID3")), len(b) > 1 && b[0] == 0xFF && b[1]&0xF6 == 0xF0:
		return "audio/aac"
	case bytes.HasPrefix(bytes.TrimPrefix(b, []byte("\ufeff")), []byte("WEBVTT")):
		return "text/vtt"
	case len(b) >= 8:
		switch string(b[4:8]) {
		case "ftyp", "styp", "moof", "moov", "sidx", "emsg", "prft":
			return "video/mp4"
		}
	}
	return unknownType
}
