package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type commandCase struct {
	ID, Kind, Note string
	Command        vectorCommand
	CommandRule    string
	MaxMessageSize int
	Messages       []string
	Expected       json.RawMessage
}

type decodeResult struct {
	Result       string
	Command      vectorCommand
	PendingBytes int
	Length       int
}

type encodeExpected struct {
	Chunks        []string
	ChunkLengths  []int
	ChunksSha256  []string
	Throws        string
	DecodesTo     json.RawMessage
	DecodeResults []decodeResult
}

func TestVectorCommands(t *testing.T) {
	var file struct{ Cases []commandCase }
	readJSON(t, vectorFile(t, "commands.json"), &file)
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			switch c.Kind {
			case "encode":
				runEncodeCase(t, c)
			case "decode":
				var want []decodeResult
				if err := json.Unmarshal(c.Expected, &want); err != nil {
					t.Fatal(err)
				}
				var msgs [][]byte
				for _, m := range c.Messages {
					msgs = append(msgs, unhex(t, m))
				}
				checkDecoding(t, msgs, want)
			default:
				t.Fatalf("unknown kind %q", c.Kind)
			}
		})
	}
}

func runEncodeCase(t *testing.T, c commandCase) {
	var want encodeExpected
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		t.Fatal(err)
	}
	if c.CommandRule != "" {
		c.Command = commandFromRule(t, c.CommandRule)
	}
	cmd, err := c.Command.command()
	if want.Throws != "" {
		// What makes the reference throw cannot be expressed as a Command.
		if err == nil {
			t.Fatalf("%+v can be expressed, the reference throws %s", cmd, want.Throws)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := EncodeReference(cmd, c.MaxMessageSize)
	if err != nil {
		t.Fatal(err)
	}
	checkChunks(t, chunks, want)
	checkDecoding(t, chunks, encodedResults(t, c.Command, chunks, want))
	if cmd.check() == nil {
		checkSafe(t, cmd, c.MaxMessageSize)
	}
}

func checkChunks(t *testing.T, chunks [][]byte, want encodeExpected) {
	t.Helper()
	if want.Chunks != nil {
		if diff := cmp.Diff(want.Chunks, hexAll(chunks)); diff != "" {
			t.Errorf("chunks (-want +got):\n%s", diff)
		}
		return
	}
	var lengths []int
	var sums []string
	for _, c := range chunks {
		lengths = append(lengths, len(c))
		sum := sha256.Sum256(c)
		sums = append(sums, hex.EncodeToString(sum[:]))
	}
	if !slices.Equal(lengths, want.ChunkLengths) || !slices.Equal(sums, want.ChunksSha256) {
		t.Errorf("chunks of %v bytes with digests %v, want %v %v", lengths, sums, want.ChunkLengths, want.ChunksSha256)
	}
}

// encodedResults says what a receiver of the encoded chunks must see, from the short form of the vectors.
func encodedResults(t *testing.T, c vectorCommand, chunks [][]byte, want encodeExpected) []decodeResult {
	t.Helper()
	if want.DecodeResults != nil {
		return want.DecodeResults
	}
	results := make([]decodeResult, len(chunks))
	pending := 0
	for i, chunk := range chunks {
		pending += len(chunk) - frameLength
		results[i] = decodeResult{Result: "waiting", PendingBytes: pending}
	}
	last := &results[len(results)-1]
	var word string
	var other struct{ Different vectorCommand }
	switch {
	case json.Unmarshal(want.DecodesTo, &word) != nil:
		if err := json.Unmarshal(want.DecodesTo, &other); err != nil {
			t.Fatal(err)
		}
		*last = decodeResult{Result: "command", Command: other.Different}
	case word == "same":
		*last = decodeResult{Result: "command", Command: asDecoded(c)}
	default:
		*last = decodeResult{Result: word}
	}
	return results
}

// asDecoded is what comes out of the command again: no empty lists, no zero offset, lists grouped.
func asDecoded(c vectorCommand) vectorCommand {
	out := vectorCommand{}
	for name, value := range c {
		list, isList := value.([]float64)
		switch {
		case isList && len(list) == 0, name == "b" && value == 0.0:
		case isList:
			out[name] = grouped(list)
		default:
			out[name] = value
		}
	}
	return out
}

// checkDecoding feeds messages to a joiner in the reference's manner, which must see exactly what is wanted, and to one
// in our own manner, which may differ only as the package documentation says.
func checkDecoding(t *testing.T, msgs [][]byte, want []decodeResult) {
	t.Helper()
	if len(msgs) != len(want) {
		t.Fatalf("%d messages, %d results", len(msgs), len(want))
	}
	reference, own := Joiner{Reference: true}, Joiner{}
	var body []byte
	for i, msg := range msgs {
		before := reference.pending
		e, ownEvent := reference.Push(msg), own.Push(msg)
		if LooksLikeCommand(msg) {
			body = append(bytes.Clone(before), msg[markLength:len(msg)-markLength]...)
		}
		switch w := want[i]; w.Result {
		case "segment-bytes":
			if e.Kind != GotBytes || len(e.Bytes) != w.Length || ownEvent.Kind != GotBytes {
				t.Errorf("message %d: got %+v and %+v, want %d segment bytes", i, e, ownEvent, w.Length)
			}
		case "waiting":
			if e.Kind != Waiting || reference.Pending() != w.PendingBytes || ownEvent.Kind != Waiting {
				t.Errorf("message %d: got %+v with %d pending, want waiting with %d", i, e, reference.Pending(), w.PendingBytes)
			}
		case "ignored":
			if e.Kind != Ignored || e.Drop == NotDropped {
				t.Errorf("message %d: got %+v, want ignored", i, e)
			}
			checkOwn(t, ownEvent, body, e.Drop)
		case "command":
			if e.Kind != GotCommand {
				t.Fatalf("message %d: got %+v, want a command", i, e)
			}
			all, err := modelDecode(body, false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]any(w.Command), all); diff != "" {
				t.Errorf("message %d, all fields (-want +got):\n%s", i, diff)
			}
			project(t, e.Command, w.Command, math.Nextafter(1<<63, 0))
			checkOwn(t, ownEvent, body, NotDropped)
		default:
			t.Fatalf("unknown result %q", w.Result)
		}
	}
}

// checkOwn holds our own reading of a finished body to the model. joining is why the reference dropped it.
func checkOwn(t *testing.T, e Event, body []byte, joining DropReason) {
	t.Helper()
	if joining != NotDropped && joining != DropUndecodable {
		if e.Kind != Ignored || e.Drop != joining {
			t.Errorf("own: got %+v, want dropped for %v", e, joining)
		}
		return
	}
	if !ownAccepts(body) {
		if e.Kind != Ignored || e.Drop != DropUndecodable {
			t.Errorf("own: got %+v, want it dropped as undecodable", e)
		}
		return
	}
	if e.Kind != GotCommand || e.Command.Code != Code(body[0]) {
		t.Errorf("own: got %+v, want command %d", e, body[0])
		return
	}
	all, err := modelDecode(body, true)
	if err != nil {
		t.Fatal(err)
	}
	project(t, e.Command, all, MaxInteger)
}

// ownAccepts states which bodies Decode accepts.
func ownAccepts(body []byte) bool {
	all, err := modelDecode(body, true)
	if err != nil || len(body) == 0 || Code(body[0]) > CancelSegmentRequest {
		return false
	}
	if Code(body[0]) != SegmentsAnnouncement {
		return true
	}
	for _, name := range []string{"l", "p"} {
		list, ok := all[name].([]float64)
		if all[name] != nil && (!ok || !withinAll(list, MaxInteger)) {
			return false
		}
	}
	return true
}

// commandFromRule reads the two rule forms of the vectors: "l = A..B" and "l = for x in A..B, for y in A..B: x*K+y".
func commandFromRule(t *testing.T, rule string) vectorCommand {
	t.Helper()
	name, text, ok := strings.Cut(rule, " = ")
	if !ok {
		t.Fatalf("rule %q", rule)
	}
	span := func(s string) (from, to int) {
		if _, err := fmt.Sscanf(s, "%d..%d", &from, &to); err != nil {
			t.Fatalf("rule %q: %v", rule, err)
		}
		return from, to
	}
	ids := []float64{}
	loops, sum, nested := strings.Cut(text, ": ")
	if !nested {
		for v, to := span(text); v <= to; v++ {
			ids = append(ids, float64(v))
		}
		return vectorCommand{"c": 0.0, name: ids}
	}
	parts := strings.Split(loops, ", ")
	factor, inner, _ := strings.Cut(sum, "+")
	outer, k, _ := strings.Cut(factor, "*")
	multiple, err := strconv.Atoi(k)
	if err != nil || len(parts) != 2 ||
		!strings.HasPrefix(parts[0], "for "+outer+" in ") || !strings.HasPrefix(parts[1], "for "+inner+" in ") {
		t.Fatalf("rule %q", rule)
	}
	a, aTo := span(strings.TrimPrefix(parts[0], "for "+outer+" in "))
	for ; a <= aTo; a++ {
		b, bTo := span(strings.TrimPrefix(parts[1], "for "+inner+" in "))
		for ; b <= bTo; b++ {
			ids = append(ids, float64(a*multiple+b))
		}
	}
	return vectorCommand{"c": 0.0, name: ids}
}
