package wire

import "testing"

func benchmarkMedia() []byte { return make([]byte, DefaultMaxMessageSize) }

func BenchmarkLooksLikeCommand(b *testing.B) {
	msg := benchmarkMedia()
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		if LooksLikeCommand(msg) {
			b.Fatal("media taken for a command")
		}
	}
}

func BenchmarkNextChunk(b *testing.B) {
	segment := make([]byte, 4<<20)
	b.SetBytes(int64(len(segment)))
	b.ReportAllocs()
	for b.Loop() {
		for rest := segment; len(rest) > 0; {
			rest = rest[NextChunk(rest, DefaultMaxMessageSize):]
		}
	}
}

func BenchmarkJoinerMedia(b *testing.B) {
	msg := benchmarkMedia()
	var j Joiner
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		if e := j.PushAt(msg, start); e.Kind != GotBytes {
			b.Fatal("not media")
		}
	}
}

func BenchmarkJoinerRequest(b *testing.B) {
	chunks, err := Encode(ask(1_700_000_000, 500, 65_536), 0)
	if err != nil {
		b.Fatal(err)
	}
	var j Joiner
	b.ReportAllocs()
	for b.Loop() {
		if e := j.PushAt(chunks[0], start); e.Kind != GotCommand {
			b.Fatal("not a command")
		}
	}
}

func BenchmarkDownloadBytes(b *testing.B) {
	d := Download{MaxSegmentSize: 1 << 50}
	d.Start(7, 1, 0, -1, start)
	d.OnCommand(data(7, 1, 1<<50), start)
	b.ReportAllocs()
	for b.Loop() {
		if r := d.OnBytes(1, start); r.Used != 1 {
			b.Fatal("not used")
		}
	}
}

// benchmarkAnnouncements are lists of 1,000 ids as HLS (consecutive) and DASH (4 s in tenths) number them.
func benchmarkAnnouncements() map[string]Command {
	dash := make([]int64, 1000)
	for i := range dash {
		dash[i] = 17_000_000_000 + int64(i)*40
	}
	return map[string]Command{
		"HLS":  {Code: SegmentsAnnouncement, Loaded: span(1000, 1999)},
		"DASH": {Code: SegmentsAnnouncement, Loaded: dash},
	}
}

func BenchmarkEncodeAnnouncement1000(b *testing.B) {
	for name, c := range benchmarkAnnouncements() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Encode(c, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeAnnouncement1000(b *testing.B) {
	for name, c := range benchmarkAnnouncements() {
		b.Run(name, func(b *testing.B) {
			chunks, err := Encode(c, 0)
			if err != nil {
				b.Fatal(err)
			}
			var j Joiner
			b.ReportAllocs()
			for b.Loop() {
				if e := j.Push(chunks[0]); len(e.Command.Loaded) != 1000 {
					b.Fatalf("%d ids", len(e.Command.Loaded))
				}
			}
		})
	}
}

// TestHotPathsDoNotAllocate: what runs once per media message must leave no garbage.
func TestHotPathsDoNotAllocate(t *testing.T) {
	msg := benchmarkMedia()
	var j Joiner
	d := Download{MaxSegmentSize: 1 << 50}
	d.Start(7, 1, 0, -1, start)
	d.OnCommand(data(7, 1, 1<<50), start)
	var u Upload
	ticket := u.OnCommand(ask(7, 1, 0), start).Ticket
	u.Serve(ticket, 1<<50)
	for name, run := range map[string]func(){
		"LooksLikeCommand": func() { LooksLikeCommand(msg) },
		"NextChunk":        func() { NextChunk(msg, 1200) },
		"Joiner.PushAt":    func() { j.PushAt(msg, start) },
		"Download.OnBytes": func() { d.OnBytes(len(msg), start) },
		"Upload.Sent":      func() { u.Sent(ticket, len(msg)) },
	} {
		if n := testing.AllocsPerRun(100, run); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
