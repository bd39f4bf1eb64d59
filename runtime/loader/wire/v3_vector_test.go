package wire

import (
	"encoding/json"
	"math/big"
	"slices"
	"testing"
)

type v3Case struct {
	ID, Kind string
	Input    struct {
		IDs           json.RawMessage
		Value         int64
		Hex, BodyHex  string
		Encode        json.RawMessage
		DropLastBytes int
		KeepFirst     int `json:"keepFirstBytes"`
		Ranges        [][2]int64
		Extremes      []int64
		Code          Code
		I, R          int64
		MaxSize       int `json:"maxMessageSize"`
		Asked         struct{ Segment int64 }
		Receive       struct {
			C    Code
			I, S int64
		}
	}
	Expected struct{ ClosesConnection, RequestSucceeded bool }
}

// TestVectorV3Wire holds what we send, and the strict reader of these tests, to the strict decoders of 3.x to 5.x.
func TestVectorV3Wire(t *testing.T) {
	var file struct{ Cases []v3Case }
	readJSON(t, vectorFile(t, "v3/wire.json"), &file)
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) { runV3Case(t, c) })
	}
}

func runV3Case(t *testing.T, c v3Case) {
	in := c.Input
	switch c.Kind {
	case "list_round_trip":
		ids := v3IDs(t, in.IDs)
		b := appendSafeList(nil, ids)
		got, rest, err := strictList(b)
		if err != nil || len(rest) != 0 || !slices.Equal(got, ids) {
			t.Errorf("got %v, %d bytes left, error %v", got, len(rest), err)
		}
	case "integer_round_trip":
		got, rest, err := strictInteger(appendInteger(nil, in.Value))
		if err != nil || len(rest) != 0 || got != in.Value {
			t.Errorf("got %d, %d bytes left, error %v", got, len(rest), err)
		}
	case "integer_width":
		for _, r := range append(in.Ranges, v3Points(in.Extremes)...) {
			for v := r[0]; v <= r[1]; v++ {
				checkWidth(t, v)
			}
		}
	case "integer_error":
		if got, _, err := strictInteger(v3Bytes(t, c)); err == nil {
			t.Errorf("read as %d", got)
		}
	case "list_error":
		if got, _, err := strictList(v3Bytes(t, c)); err == nil {
			t.Errorf("read as %v", got)
		}
	case "string_error":
		if got, err := strictDecode(append([]byte{4, 'i'}, v3Bytes(t, c)...)); err == nil {
			t.Errorf("read as %+v", got)
		}
	case "command_error":
		if got, err := strictDecode(unhex(t, in.BodyHex)); err == nil {
			t.Errorf("read as %+v", got)
		}
	case "command_round_trip":
		checkSafe(t, Command{Code: in.Code, SegmentID: in.I, RequestID: in.R}, in.MaxSize)
	case "peer_reaction":
		var d Download
		d.Start(in.Asked.Segment, 1, 0, -1, start)
		header := data(in.Receive.I, 1, in.Receive.S)
		header.Code = in.Receive.C
		r := d.OnCommand(header, start)
		if r.Close != c.Expected.ClosesConnection || (r.State == DownloadSucceeded) != c.Expected.RequestSucceeded {
			t.Errorf("got %+v", r)
		}
	case "upload_stall":
		// How long an upload may make no progress is decided where messages are queued, not in this package; here only
		// that giving up says nothing.
		var u Upload
		u.Serve(u.OnCommand(ask(1, 1, 0), start).Ticket, 1<<20)
		if u.Stop() == 0 || u.Current() != 0 {
			t.Error("the upload goes on")
		}
	default:
		t.Fatalf("unknown kind %q", c.Kind)
	}
}

// v3IDs reads a list of ids: [1,2], {"from":1,"count":2} or {"concat":[…]}.
func v3IDs(t *testing.T, raw json.RawMessage) (ids []int64) {
	t.Helper()
	if json.Unmarshal(raw, &ids) == nil {
		return ids
	}
	var rule struct {
		From, Count int64
		Concat      []json.RawMessage
	}
	if err := json.Unmarshal(raw, &rule); err != nil {
		t.Fatal(err)
	}
	for _, part := range rule.Concat {
		ids = append(ids, v3IDs(t, part)...)
	}
	return append(ids, span(rule.From, rule.From+rule.Count-1)...)
}

func v3Bytes(t *testing.T, c v3Case) []byte {
	t.Helper()
	in := c.Input
	if in.Encode == nil {
		return unhex(t, in.Hex)
	}
	var value int64
	var b []byte
	if json.Unmarshal(in.Encode, &value) == nil {
		b = appendInteger(nil, value)
	} else {
		b = appendSafeList(nil, v3IDs(t, in.Encode))
	}
	if in.KeepFirst > 0 {
		return b[:in.KeepFirst]
	}
	return b[:len(b)-in.DropLastBytes]
}

func v3Points(values []int64) (ranges [][2]int64) {
	for _, v := range values {
		ranges = append(ranges, [2]int64{v, v})
	}
	return ranges
}

func checkWidth(t *testing.T, v int64) {
	t.Helper()
	b := appendInteger(nil, v)
	digits := len(new(big.Int).Abs(big.NewInt(v)).Text(2))
	if want := (digits + 1 + 7) / 8; len(b) != 1+want || int(b[0]) != want {
		t.Errorf("%d: %x, want %d bytes", v, b, want)
	}
	if got, rest, err := strictInteger(b); err != nil || got != v || len(rest) != 0 {
		t.Errorf("%d: read as %d, error %v", v, got, err)
	}
}
