package wire

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// checkSafe encodes a command in the safe form and holds it to the strict and to both lenient readers.
func checkSafe(t *testing.T, c Command, limit int) {
	t.Helper()
	chunks, err := Encode(c, limit)
	if limit < minMessageSize {
		if !errors.Is(err, ErrNotEncodable) {
			t.Fatalf("maximum %d: got error %v", limit, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	peer := strictPeer{max: limit}
	reference, own := Joiner{Reference: true, MaxPending: 1 << 30}, Joiner{MaxPending: 1 << 30}
	for i, chunk := range chunks {
		strict, done, err := peer.push(chunk)
		if err != nil {
			t.Fatalf("chunk %d of %d: a strict peer says %v", i, len(chunks), err)
		}
		lenient, ours := reference.Push(chunk), own.Push(chunk)
		if last := i == len(chunks)-1; done != last {
			t.Fatalf("chunk %d of %d: done is %v", i, len(chunks), done)
		} else if !last {
			continue
		}
		for _, e := range []Event{lenient, ours} {
			if e.Kind != GotCommand {
				t.Fatalf("a lenient peer got %+v", e)
			}
			if diff := cmp.Diff(strict, e.Command); diff != "" {
				t.Fatalf("strict and lenient differ:\n%s", diff)
			}
		}
		checkContent(t, c, strict)
	}
}

func checkContent(t *testing.T, sent, got Command) {
	t.Helper()
	want := Command{Code: sent.Code}
	if sent.Code == SegmentsAnnouncement {
		checkList(t, sent.Loaded, got.Loaded)
		checkList(t, sent.Loading, got.Loading)
		return
	}
	want.SegmentID, want.RequestID = sent.SegmentID, sent.RequestID
	want.Fields = FieldSegmentID | FieldRequestID
	if sent.Code == SegmentRequest && sent.From != 0 {
		want.From = sent.From
		want.Fields |= FieldFrom
	}
	if sent.Code == SegmentData {
		want.Size = sent.Size
		want.Fields |= FieldSize
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("content (-sent +got):\n%s", diff)
	}
}

// checkList: the ids received are those sent, each once, grouped, less the oldest ones that do not fit.
func checkList(t *testing.T, sent, got []int64) {
	t.Helper()
	all := unique(sent)
	left := Thinned(sent)
	if left != len(all)-len(got) {
		t.Fatalf("%d different ids sent, %d received, %d reported as left out", len(all), len(got), left)
	}
	kept := map[int64]bool{}
	for _, id := range got {
		kept[id] = true
	}
	all = slices.DeleteFunc(all, func(id int64) bool { return !kept[id] })
	if want := grouped(floats(all)); !slices.Equal(want, floats(got)) {
		t.Fatalf("list differs: want %v, got %v", want, got)
	}
}

func span(from, to int64) (ids []int64) {
	for ; from <= to; from++ {
		ids = append(ids, from)
	}
	return ids
}

func TestEncodeSplitsFullBlocks(t *testing.T) {
	for name, ids := range map[string][]int64{
		"one block":      span(0, 255),
		"long run":       span(1_000_000, 1_019_999),
		"negative":       span(-1024, -1),
		"duplicates":     slices.Concat(span(0, 255), span(0, 255), []int64{7, 7}),
		"at the borders": {MaxInteger, MaxInteger - 1, -MaxInteger, -MaxInteger + 1},
		"all that fits":  span(0, 127*256-1),
	} {
		t.Run(name, func(t *testing.T) {
			c := Command{Code: SegmentsAnnouncement, Loaded: ids, Loading: []int64{1}}
			if n := Thinned(ids); n != 0 {
				t.Fatalf("%d ids left out", n)
			}
			checkSafe(t, c, DefaultMaxMessageSize)
			checkSafe(t, c, 1200)
			checkSafe(t, c, minMessageSize)
		})
	}
}

func TestEncodeThinsTheOldest(t *testing.T) {
	wide := func(n int64) (ids []int64) {
		for i := range n {
			ids = append(ids, i*256+3)
		}
		return ids
	}
	for name, c := range map[string]struct {
		ids    []int64
		left   int
		oldest int64
	}{
		"255 blocks of one":      {wide(255), 0, 3},
		"256 blocks of one":      {wide(256), 1, 256 + 3},
		"newest first":           {reversed(wide(300)), 45, 45*256 + 3},
		"128 full blocks":        {span(0, 128*256-1), 1, 1},
		"255 full blocks":        {span(0, 255*256-1), 255, 1},
		"1000 full blocks":       {span(0, 1000*256-1), 745*256 + 255, 745*256 + 1},
		"full and wide together": {append(span(-512, -1), wide(253)...), 2, -511},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := Command{Code: SegmentsAnnouncement, Loaded: c.ids}
			checkSafe(t, cmd, DefaultMaxMessageSize)
			chunks, err := Encode(cmd, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			var j Joiner
			got := j.Push(chunks[0]).Command.Loaded
			if left := len(unique(c.ids)) - len(got); left != c.left {
				t.Errorf("%d ids left out, want %d", left, c.left)
			}
			if slices.Min(got) != c.oldest || slices.Max(got) != slices.Max(c.ids) {
				t.Errorf("ids from %d to %d, want from %d to %d", slices.Min(got), slices.Max(got), c.oldest, slices.Max(c.ids))
			}
		})
	}
}

func reversed(ids []int64) []int64 {
	slices.Reverse(ids)
	return ids
}

func TestEncodeDoesNotTouchItsInput(t *testing.T) {
	ids := reversed(span(0, 70_000))
	before := slices.Clone(ids)
	if _, err := Encode(Command{Loaded: ids, Loading: ids}, 0); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ids, before) {
		t.Error("the announced list was changed")
	}
}

func TestEncodeEqualsReferenceWhereThatIsSafe(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		c := randomCommand(random)
		c.Loaded, c.Loading = unique(c.Loaded), unique(c.Loading)
		safe, err := Encode(c, DefaultMaxMessageSize)
		if err != nil {
			t.Fatal(err)
		}
		reference, err := EncodeReference(c, DefaultMaxMessageSize)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(hexAll(reference), hexAll(safe)); diff != "" && len(c.Loaded) < 255 && len(c.Loading) < 255 {
			t.Fatalf("%+v:\n%s", c, diff)
		}
	}
}

func TestEncodeRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		checkSafe(t, randomCommand(random), []int{9, 10, 16, 24, 100, 1200, 65535, 262144}[random.IntN(8)])
	}
}

func randomCommand(random *rand.Rand) Command {
	number := func() int64 {
		n := random.Int64N(MaxInteger+1) >> random.IntN(53)
		if random.IntN(8) == 0 {
			return -n
		}
		return n
	}
	list := func() (ids []int64) {
		at, step := number(), random.Int64N(300)>>random.IntN(9)+1
		for range random.IntN(600) >> random.IntN(6) {
			if at > MaxInteger {
				break
			}
			ids = append(ids, at)
			if at += step; random.IntN(50) == 0 {
				at = number()
			}
		}
		return ids
	}
	c := Command{Code: Code(random.IntN(6))}
	if c.Code == SegmentsAnnouncement {
		c.Loaded, c.Loading = list(), list()
		return c
	}
	c.SegmentID, c.RequestID = number(), number()
	c.From, c.Size = max(number(), 0), max(number(), 0)
	return c
}

func TestEncodeRefuses(t *testing.T) {
	for name, c := range map[string]Command{
		"unknown code":       {Code: 6},
		"segment id too big": {Code: SegmentAbsent, SegmentID: MaxInteger + 1},
		"id too small":       {Code: SegmentAbsent, SegmentID: -MaxInteger - 1},
		"request id too big": {Code: SegmentAbsent, RequestID: MaxInteger + 1},
		"negative offset":    {Code: SegmentRequest, From: -1},
		"offset too big":     {Code: SegmentRequest, From: MaxInteger + 1},
		"negative size":      {Code: SegmentData, Size: -1},
		"size too big":       {Code: SegmentData, Size: MaxInteger + 1},
		"announced id":       {Loaded: []int64{1, MaxInteger + 1}},
		"announced fetching": {Loading: []int64{-MaxInteger - 1}},
	} {
		if _, err := Encode(c, 0); !errors.Is(err, ErrNotEncodable) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
	for _, size := range []int{-1, 1, 8} {
		if _, err := Encode(Command{}, size); !errors.Is(err, ErrNotEncodable) {
			t.Errorf("maximum %d: got error %v", size, err)
		}
	}
	for _, size := range []int{-1, 0} {
		if _, err := EncodeReference(Command{}, size); !errors.Is(err, ErrNotEncodable) {
			t.Errorf("reference, maximum %d: got error %v", size, err)
		}
	}
	if _, err := EncodeReference(Command{Code: 6}, 100); !errors.Is(err, ErrNotEncodable) {
		t.Errorf("reference, unknown code: got error %v", err)
	}
}
