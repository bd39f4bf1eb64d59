package stats

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

var errTooLarge = errors.New("answer is too large")

// Decode reads one answer, at most MaxBytes. It refuses other versions, and answers without a boot id, which do not come
// from a tracker.
func Decode(r io.Reader) (Stats, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Stats{}, fmt.Errorf("reading stats: %w", err)
	}
	if len(b) > MaxBytes {
		return Stats{}, fmt.Errorf("reading stats: %w", errTooLarge)
	}
	var s Stats
	if err := json.Unmarshal(b, &s); err != nil {
		return Stats{}, fmt.Errorf("decoding stats: %w", err)
	}
	if s.Version != Version || s.Boot == "" {
		return Stats{}, fmt.Errorf("decoding stats: not a tracker's statistics of version %d", Version)
	}
	return s, nil
}
