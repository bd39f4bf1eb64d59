// Package duration has a duration that is a readable string in configuration files.
package duration

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that is a string like "7s" in JSON.
type Duration time.Duration

// MarshalText returns the Go spelling of the duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads the Go spelling of a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("reading duration: %w", err)
	}
	*d = Duration(v)
	return nil
}

// Std returns the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns the Go spelling of the duration.
func (d Duration) String() string { return time.Duration(d).String() }
