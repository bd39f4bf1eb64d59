package wire

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// replay feeds one direction of one recorded channel through a Joiner; each command is encoded again and must come out
// as the messages that carried it.
type replay struct {
	max     int
	joiner  Joiner
	chunks  [][]byte
	command int
	bytes   int
}

func (r *replay) push(t *testing.T, msg []byte) {
	t.Helper()
	switch e := r.joiner.Push(msg); e.Kind {
	case GotBytes:
		r.bytes += len(msg)
	case Waiting:
		r.chunks = append(r.chunks, msg)
	case GotCommand:
		r.command++
		want := hexAll(append(r.chunks, msg))
		r.chunks = nil
		reference, err := EncodeReference(e.Command, r.max)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, hexAll(reference)); diff != "" {
			t.Errorf("%+v, reference form (-recorded +got):\n%s", e.Command, diff)
		}
		safe, err := Encode(e.Command, r.max)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, hexAll(safe)); diff != "" {
			t.Errorf("%+v, safe form (-recorded +got):\n%s", e.Command, diff)
		}
	default:
		t.Errorf("message %x was dropped: %v", msg, e.Drop)
	}
}

func (r *replay) finish(t *testing.T) {
	t.Helper()
	if r.joiner.Pending() != 0 {
		t.Errorf("%d bytes pending at the end", r.joiner.Pending())
	}
	if r.command == 0 {
		t.Error("no command in the record")
	}
}

func TestVectorSession(t *testing.T) {
	type entry struct {
		Dir, Kind, Hex string
		Length         int
		FirstBytes     string
	}
	var file struct {
		Settings struct{ WebRtcMaxMessageSize int }
		Bytes    struct{ DownloadedByB, UploadedByA int }
		A, B     []entry
	}
	readJSON(t, vectorFile(t, "session.json"), &file)
	media := map[string]int{}
	for side, log := range map[string][]entry{"A": file.A, "B": file.B} {
		for _, dir := range []string{"in", "out"} {
			t.Run(side+" "+dir, func(t *testing.T) {
				r := replay{max: file.Settings.WebRtcMaxMessageSize}
				for _, e := range log {
					switch {
					case e.Dir != dir:
					case e.Kind == "command-chunk":
						r.push(t, unhex(t, e.Hex))
					case e.Kind == "segment-bytes":
						msg := make([]byte, e.Length)
						copy(msg, unhex(t, e.FirstBytes))
						r.push(t, msg)
					}
				}
				r.finish(t)
				media[side+dir] = r.bytes
			})
		}
	}
	if media["Aout"] != file.Bytes.UploadedByA || media["Bin"] != file.Bytes.DownloadedByB {
		t.Errorf("media bytes %v, want %+v", media, file.Bytes)
	}
}

type captureEntry struct {
	Dir, Label       string
	PC               int
	Len              int
	Command, First64 string
}

func TestVectorCaptures(t *testing.T) {
	dir := vectorFile(t, "captures")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no captures")
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".json") {
			continue
		}
		t.Run(strings.TrimSuffix(f.Name(), ".json"), func(t *testing.T) { runCapture(t, filepath.Join(dir, f.Name())) })
	}
}

func runCapture(t *testing.T, path string) {
	var capture struct {
		Input struct {
			Core *struct{ WebRtcMaxMessageSize int }
		}
		Tabs []struct {
			Tab int
			Log []captureEntry
		}
	}
	readJSON(t, path, &capture)
	limit := DefaultMaxMessageSize
	if core := capture.Input.Core; core != nil && core.WebRtcMaxMessageSize > 0 {
		limit = core.WebRtcMaxMessageSize
	}
	for _, tab := range capture.Tabs {
		channels := map[string]*replay{}
		for _, e := range tab.Log {
			key := strconv.Itoa(tab.Tab) + " " + strconv.Itoa(e.PC) + " " + e.Label + " " + e.Dir
			if channels[key] == nil {
				channels[key] = &replay{max: limit}
			}
			if msg := e.message(t); msg != nil {
				channels[key].push(t, msg)
			}
		}
		for key, r := range channels {
			if r.command+r.bytes == 0 {
				continue
			}
			t.Run(key, func(t *testing.T) { r.finish(t) })
		}
	}
}

// message rebuilds what was on the channel; of media only the first bytes were recorded.
func (e captureEntry) message(t *testing.T) []byte {
	t.Helper()
	switch {
	case e.Command != "":
		return unhex(t, e.Command)
	case e.First64 != "":
		msg := make([]byte, max(e.Len, hex.DecodedLen(len(e.First64))))
		copy(msg, unhex(t, e.First64))
		return msg
	}
	return nil
}
