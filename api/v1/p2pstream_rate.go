package v1

import (
	"fmt"
	"strconv"
	"strings"
)

// BitsPerSecond returns the rate as a number. An empty rate is 0, which means no limit.
func (r BitRate) BitsPerSecond() (int64, error) {
	if r == "" {
		return 0, nil
	}
	for _, u := range []struct {
		name string
		bits int64
	}{{"Gbit", 1e9}, {"Mbit", 1e6}, {"kbit", 1e3}} {
		number, ok := strings.CutSuffix(string(r), u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || n > 1e15/u.bits {
			break
		}
		return n * u.bits, nil
	}
	return 0, fmt.Errorf("%q is not a rate; use a whole number with kbit, Mbit or Gbit, as in 500Mbit", string(r))
}
