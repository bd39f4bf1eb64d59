package wire

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// vectorFile returns the path of a vector file: in the folder P2PSTREAM_VECTORS if that is set and has it.
func vectorFile(t *testing.T, name string) string {
	t.Helper()
	if dir := os.Getenv("P2PSTREAM_VECTORS"); dir != "" {
		path := filepath.Join(dir, name)
		_, err := os.Stat(path)
		if err == nil {
			return path
		}
		if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return filepath.Join("testdata", name)
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func hexAll(msgs [][]byte) []string {
	out := make([]string, len(msgs))
	for i, m := range msgs {
		out[i] = hex.EncodeToString(m)
	}
	return out
}

// vectorCommand is a command in a vector: c, i, r, b, s numbers, l and p lists, unknown names anything.
type vectorCommand map[string]any

func (v *vectorCommand) UnmarshalJSON(b []byte) error {
	var raw map[string]any
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	for name, value := range raw {
		list, ok := value.([]any)
		if !ok {
			continue
		}
		floats := make([]float64, len(list))
		for i, e := range list {
			f, ok := e.(float64)
			if !ok {
				return fmt.Errorf("list %q holds a %T", name, e)
			}
			floats[i] = f
		}
		raw[name] = floats
	}
	*v = raw
	return nil
}

// whole returns a number of the vector as an integer, 0 when it is not there.
func (v vectorCommand) whole(name string) (int64, error) {
	f, ok := v[name].(float64)
	if !ok && v[name] != nil {
		return 0, fmt.Errorf("field %q is a %T", name, v[name])
	}
	n := int64(f)
	if float64(n) != f {
		return 0, fmt.Errorf("field %q is %v", name, f)
	}
	return n, nil
}

func (v vectorCommand) list(name string) ([]int64, error) {
	floats, ok := v[name].([]float64)
	if !ok && v[name] != nil {
		return nil, fmt.Errorf("field %q is a %T", name, v[name])
	}
	ids := make([]int64, len(floats))
	for i, f := range floats {
		if ids[i] = int64(f); float64(ids[i]) != f {
			return nil, fmt.Errorf("field %q holds %v", name, f)
		}
	}
	return ids, nil
}

// command turns a vector into a Command; an error says that no Command can hold it.
func (v vectorCommand) command() (c Command, err error) {
	code, err := v.whole("c")
	errs := []error{err}
	c.Code = Code(code)
	for name, into := range map[string]*int64{"i": &c.SegmentID, "r": &c.RequestID, "b": &c.From, "s": &c.Size} {
		*into, err = v.whole(name)
		errs = append(errs, err)
	}
	for name, into := range map[string]*[]int64{"l": &c.Loaded, "p": &c.Loading} {
		*into, err = v.list(name)
		errs = append(errs, err)
	}
	return c, errors.Join(errs...)
}

// grouped orders ids as an encoded list does: by block in order of first appearance.
func grouped(ids []float64) []float64 {
	var order []int64
	blocks := map[int64][]float64{}
	for _, f := range ids {
		head := int64(f) &^ 0xff
		if _, ok := blocks[head]; !ok {
			order = append(order, head)
		}
		blocks[head] = append(blocks[head], f)
	}
	out := []float64{}
	for _, head := range order {
		out = append(out, blocks[head]...)
	}
	return out
}

func floats(ids []int64) []float64 {
	out := make([]float64, len(ids))
	for i, id := range ids {
		out[i] = float64(id)
	}
	return out
}

func unique[T comparable](list []T) []T {
	var out []T
	seen := map[T]bool{}
	for _, e := range list {
		if !seen[e] {
			seen[e] = true
			out = append(out, e)
		}
	}
	return out
}

// project compares a decoded Command with everything a decoder saw (modelDecode or a vector). limit is the largest
// magnitude a field may have to be kept.
func project(t *testing.T, c Command, body map[string]any, limit float64) {
	t.Helper()
	numbers := map[string]struct {
		field Field
		value int64
	}{
		"i": {FieldSegmentID, c.SegmentID}, "r": {FieldRequestID, c.RequestID},
		"b": {FieldFrom, c.From}, "s": {FieldSize, c.Size},
	}
	for name, got := range numbers {
		want, ok := body[name].(float64)
		usable := ok && want <= limit && want >= -limit
		if name == "b" && !usable && body["b"] != nil && limit == MaxInteger && c.Code == SegmentRequest {
			want, usable = -1, true
		}
		if c.Has(got.field) != usable || usable && float64(got.value) != want || !usable && got.value != 0 {
			t.Errorf("field %s: got %v (there: %v), want %v", name, got.value, c.Has(got.field), body[name])
		}
	}
	lists := map[string]struct {
		field Field
		ids   []int64
	}{"l": {FieldLoaded, c.Loaded}, "p": {FieldLoading, c.Loading}}
	for name, got := range lists {
		want, usable := body[name].([]float64)
		usable = usable && withinAll(want, limit)
		if c.Has(got.field) != usable || usable && !slices.Equal(floats(got.ids), want) || !usable && got.ids != nil {
			t.Errorf("list %s: got %v (there: %v), want %v", name, got.ids, c.Has(got.field), body[name])
		}
	}
}

func withinAll(list []float64, limit float64) bool {
	if len(list) > maxAnnounced {
		return false
	}
	for _, f := range list {
		if f > limit || f < -limit {
			return false
		}
	}
	return true
}
