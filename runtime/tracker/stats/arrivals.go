package stats

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"
)

// ArrivalsPath is where the admin listener of a tracker answers with Arrivals, as soon as there are any.
const ArrivalsPath = "/v1/arrivals"

// ArrivalsWait is how long a tracker waits for an arrival at most before it answers that there was none.
const ArrivalsWait = 20 * time.Second

// maxArrivalsBytes of an answer are read.
const maxArrivalsBytes = 256 << 10

// Arrivals are the streams whose first viewer has come since an earlier answer.
type Arrivals struct {
	Version int `json:"v"`
	ArrivalsCursor
	// Missed: the tracker does not know what there was since that answer. Any stream may have viewers now.
	Missed bool `json:"missed,omitempty"`
	// Streams by the prefix of their paths, which is empty on a tracker of one stream.
	Streams []string `json:"streams,omitempty"`
}

// ArrivalsCursor is the moment of an answer: a number in a run of a tracker. The zero cursor is now.
type ArrivalsCursor struct {
	Boot string `json:"boot"`
	Next int64  `json:"next"`
}

// Path of the request for what there was after that moment.
func (c ArrivalsCursor) Path() string {
	if c.Boot == "" {
		return ArrivalsPath
	}
	return ArrivalsPath + "?" + url.Values{"boot": {c.Boot}, "next": {strconv.FormatInt(c.Next, 10)}}.Encode()
}

// ArrivalsCursorOf parses the query of Path.
func ArrivalsCursorOf(query url.Values) (c ArrivalsCursor, err error) {
	if c.Boot = query.Get("boot"); c.Boot == "" {
		return ArrivalsCursor{}, nil
	}
	if c.Next, err = strconv.ParseInt(query.Get("next"), 10, 64); err != nil || c.Next < 0 {
		return ArrivalsCursor{}, fmt.Errorf("next is %.40q; use the number of the answer before", query.Get("next"))
	}
	return c, nil
}

// DecodeArrivals reads one answer.
func DecodeArrivals(r io.Reader) (Arrivals, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxArrivalsBytes+1))
	if err != nil {
		return Arrivals{}, fmt.Errorf("reading arrivals: %w", err)
	}
	if len(b) > maxArrivalsBytes {
		return Arrivals{}, fmt.Errorf("reading arrivals: %w", errTooLarge)
	}
	var a Arrivals
	if err := json.Unmarshal(b, &a); err != nil {
		return Arrivals{}, fmt.Errorf("decoding arrivals: %w", err)
	}
	if a.Version != Version || a.Boot == "" || a.Next < 0 {
		return Arrivals{}, fmt.Errorf("decoding arrivals: not a tracker's of version %d", Version)
	}
	return a, nil
}
