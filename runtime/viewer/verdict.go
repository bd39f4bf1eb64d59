package viewer

import (
	"errors"
	"fmt"
)

// Verdict tells whether a run of viewers that verify what they receive was right. It returns an error if a segment
// differed from the origin's, if no viewer played anything, or if no segment could be compared.
func (r Report) Verdict() error {
	var played, verified int64
	for _, v := range r.Viewers {
		played += v.PlayedMs
		verified += v.Verified
	}
	switch {
	case r.Total.DigestErrors > 0:
		return fmt.Errorf("verifying segments: %d of %d differ from the origin's", r.Total.DigestErrors, verified)
	case played == 0:
		return errors.New("verifying segments: no viewer played anything")
	case verified == 0:
		return errors.New("verifying segments: none could be compared with the origin's")
	}
	return nil
}
