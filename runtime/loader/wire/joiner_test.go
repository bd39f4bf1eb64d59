package wire

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func chunk(start, body, end string) []byte { return []byte(start + body + end) }

func TestJoinerBoundsPendingBytes(t *testing.T) {
	j := Joiner{MaxPending: 10}
	steps := []struct {
		msg     []byte
		kind    EventKind
		drop    DropReason
		pending int
	}{
		{chunk("cstr", "\x04i\x01\x01r", "dend"), Waiting, NotDropped, 5},
		{chunk("dstr", "\x01\x02x\x01\x09", "dend"), Waiting, NotDropped, 10},
		{chunk("dstr", "!", "cend"), Ignored, DropTooLarge, 0},
		{chunk("dstr", "", "cend"), Ignored, DropNoFirst, 0},
		{chunk("cstr", strings.Repeat("x", 11), "dend"), Ignored, DropTooLarge, 0},
		{chunk("cstr", strings.Repeat("x", 11), "cend"), Ignored, DropTooLarge, 0},
		{chunk("cstr", "\x04i\x01\x01r\x01\x02", "cend"), GotCommand, NotDropped, 0},
	}
	for i, s := range steps {
		e := j.Push(s.msg)
		if e.Kind != s.kind || e.Drop != s.drop || j.Pending() != s.pending {
			t.Errorf("step %d: got %+v, %d pending", i, e, j.Pending())
		}
	}
}

func TestJoinerDeadline(t *testing.T) {
	j := Joiner{PendingTimeout: time.Second}
	at := time.Unix(5000, 0)
	first, last := chunk("cstr", "\x04i\x01\x01", "dend"), chunk("dstr", "r\x01\x02", "cend")
	if !j.Deadline().IsZero() || j.Expire(at) {
		t.Error("a deadline without a pending command")
	}
	if j.Push(first); !j.Deadline().IsZero() || j.Expire(at.Add(time.Hour)) {
		t.Error("a deadline although no time was given")
	}
	j.Reset()
	j.PushAt(first, at)
	if got := j.Deadline(); !got.Equal(at.Add(time.Second)) {
		t.Errorf("deadline %v", got)
	}
	if e := j.PushAt([]byte("media"), at.Add(time.Minute)); e.Kind != GotBytes {
		t.Errorf("media between: %+v", e)
	}
	if j.Expire(at.Add(time.Second - 1)) {
		t.Error("expired too early")
	}
	if e := j.PushAt(last, at.Add(time.Second)); e.Kind != Ignored || e.Drop != DropExpired || j.Pending() != 0 {
		t.Errorf("after the deadline: %+v", e)
	}
	j.PushAt(first, at)
	if !j.Expire(at.Add(time.Second)) || j.Pending() != 0 {
		t.Error("not expired")
	}
	// A new first chunk after the deadline is no interruption.
	j.PushAt(first, at)
	if e := j.PushAt(first, at.Add(time.Minute)); e.Kind != Waiting {
		t.Errorf("first chunk after the deadline: %+v", e)
	}
	if e := j.PushAt(last, at.Add(time.Minute)); e.Kind != GotCommand || e.Command.SegmentID != 1 || e.Command.RequestID != 2 {
		t.Errorf("last chunk: %+v", e)
	}
	if got := (&Joiner{}).maxPending(); got != 256<<10 {
		t.Errorf("default bound %d", got)
	}
}

func TestJoinerBytesAliasTheMessage(t *testing.T) {
	var j Joiner
	msg := []byte("0123456789")
	if e := j.Push(msg); e.Kind != GotBytes || &e.Bytes[0] != &msg[0] || len(e.Bytes) != len(msg) {
		t.Errorf("got %+v", e)
	}
	// A command shares nothing with its message.
	msg = chunk("cstr", "\x00l\x10\x01\x01\x01\x05", "cend")
	e := j.Push(msg)
	clear(msg)
	if e.Kind != GotCommand || len(e.Command.Loaded) != 1 || e.Command.Loaded[0] != 5 {
		t.Errorf("got %+v", e)
	}
}

func TestDecodeFullBlocks(t *testing.T) {
	block := string(bytesFrom(0, 256))
	for name, c := range map[string]struct {
		body string
		ids  int // -1: not decodable
	}{
		"as sent by the reference": {"\x00l\x10\x01\x02\x01\x00" + block, 256},
		"among others":             {"\x00l\x10\x03\x01\x01\x07\x02\x01\x00" + block + "\x02\x02\x01\x09p\x10\x01\x01\x01\x03", 258},
		"not 256 different bytes":  {"\x00l\x10\x01\x02\x01\x00" + strings.Repeat("\x00", 256), 0},
		"cut off":                  {"\x00l\x10\x01\x02\x01\x00" + block[:255], -1},
		"more than one list holds": {"\x00l\x10\xff" + strings.Repeat("\x02\x01\x00"+block, 255), -1},
		"as many as one list may":  {"\x00l\x10\xfe" + strings.Repeat("\x02\x01\x00"+block, 254), 254 * 256},
		"integer instead of list":  {"\x00l\x01\x05", -1},
		"string instead of list":   {"\x00p\x20\x01x", -1},
		"list instead of integer":  {"\x00i\x10\x00", 0},
		"id out of range":          {"\x00l\x10\x01\x08\x7f\xff\xff\xff\xff\xff\xff\x01\x05", -1},
		"last of two lists counts": {"\x00l\x10\x01\x01\x02\x05\x06l\x10\x01\x01\x01\x07", 1},
		"missing group headers":    {"\x00l\x10\xff", 0},
	} {
		got, err := Decode([]byte(c.body))
		if c.ids < 0 {
			if err == nil {
				t.Errorf("%s: decoded to %d ids", name, len(got.Loaded))
			}
			continue
		}
		if err != nil || len(got.Loaded) != c.ids {
			t.Errorf("%s: %d ids, error %v", name, len(got.Loaded), err)
		}
	}
}

func bytesFrom(from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(from + i)
	}
	return b
}

func TestDecodeUnusableOffset(t *testing.T) {
	c, err := Decode([]byte("\x01i\x01\x05r\x01\x07b\x20\x01x"))
	if err != nil || c.From != -1 || !c.Has(FieldFrom|FieldSegmentID|FieldRequestID) {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestNextChunk(t *testing.T) {
	media := bytes.Repeat([]byte{0xab}, 100)
	trap := append(append([]byte("dstr"), media[:24]...), "cend"...)
	for _, c := range []struct {
		data []byte
		max  int
		want int
	}{
		{nil, 32, 0},
		{media, 32, 32},
		{media, 100, 100},
		{media, 0, 100},
		{media, -1, 100},
		{media[:1], 32, 1},
		{trap, 32, 31},
		{trap, 64, 31},
		{append(bytes.Clone(trap), media...), 32, 31},
		{append(bytes.Clone(trap), media...), 33, 33},
		{[]byte("cstrdend"), 8, 7},
		{[]byte("cstrdend"), 7, 7},
		{make([]byte, 70_000), 0, 65_535},
	} {
		n := NextChunk(c.data, c.max)
		if n != c.want || LooksLikeCommand(c.data[:n]) {
			t.Errorf("%d bytes, maximum %d: got %d, want %d", len(c.data), c.max, n, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	if SegmentAbsent.String() != "SegmentAbsent" || Code(9).String() != "Code(9)" {
		t.Error("code names")
	}
	seen := map[string]bool{}
	for _, s := range []string{
		NotDropped.String(), DropNoFirst.String(), DropInterrupted.String(), DropTooLarge.String(),
		DropUndecodable.String(), DropExpired.String(), DropReason(99).String(),
		DownloadIdle.String(), DownloadWaiting.String(), DownloadLoading.String(), DownloadSucceeded.String(),
		DownloadFailed.String(),
	} {
		if seen[s] || s == "" {
			t.Errorf("name %q", s)
		}
		seen[s] = true
	}
}
