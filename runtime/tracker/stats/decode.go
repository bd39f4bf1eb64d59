package stats

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

var errTooLarge = errors.New("answer is too large")

// Decode reads one answer. It takes no more than MaxBytes, and refuses another version and an answer that names no
// boot, which is what something else than a tracker would give.
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
		return Stats{}, fmt.Errorf("decoding stats: not those of a tracker in version %d", Version)
	}
	return s, nil
}
