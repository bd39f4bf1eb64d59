package plan

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Office is one site of viewers: a subnet of its own behind the WAN router.
type Office struct {
	Name string `json:"name"`
	// Index is the place in the address plan, from 1; it stays for as long as the office exists.
	Index int `json:"index"`
	// Rate limits each direction, in bits per second; 0 is unlimited.
	Rate int64 `json:"rate"`
	// Latency is the longest that a packet may wait in the rate's queue before it is dropped.
	Latency time.Duration `json:"latency"`
	// DropUDP drops every UDP packet in and out of the office.
	DropUDP bool `json:"dropUDP"`
}

// Check says why an office cannot be shaped so.
func (o Office) Check() error {
	if err := CheckOfficeName(o.Name); err != nil {
		return err
	}
	if o.Rate == 0 {
		return nil
	}
	if o.Rate < 8_000 {
		return fmt.Errorf("--rate %s: use at least 8kbit, or nothing for an unlimited office", FormatRate(o.Rate))
	}
	if o.Latency < time.Millisecond || o.Latency > 10*time.Second {
		return fmt.Errorf("--latency %s: use 1ms to 10s", o.Latency)
	}
	return nil
}

// Interface is the router's end of the office's veth; its counters are the office's WAN bytes.
func (o Office) Interface() string { return "o-" + o.Name }

// Qdisc is the `tc` command that shapes one end of the office's veth, or frees it. A token bucket is
// used because it is in every kernel; netem is not.
func (o Office) Qdisc(device string) []string {
	if o.Rate == 0 {
		return []string{"qdisc", "del", "dev", device, "root"}
	}
	return []string{
		"qdisc", "replace", "dev", device, "root", "tbf",
		"rate", strconv.FormatInt(o.Rate, 10) + "bit",
		"burst", strconv.FormatInt(burst(o.Rate), 10),
		"latency", strconv.FormatInt(o.Latency.Microseconds(), 10) + "us",
	}
}

// burst is in bytes. It holds one full GSO packet, and ten milliseconds of the rate, so that a timer
// that ticks a hundred times a second can still deliver all of it.
func burst(rate int64) int64 { return max(64<<10, rate/8/100) }

// Filter is the nft script, for the router's namespace, that makes the office's UDP rule so. It may be
// applied any number of times.
func (o Office) Filter() string {
	table := "office_" + strings.ReplaceAll(o.Name, "-", "_")
	script := fmt.Sprintf("table inet %s\ndelete table inet %s\n", table, table)
	if !o.DropUDP {
		return script
	}
	return script + fmt.Sprintf(`table inet %[1]s {
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname %[2]q meta l4proto udp drop
		oifname %[2]q meta l4proto udp drop
	}
}
`, table, o.Interface())
}

var rateUnits = []struct {
	suffix string
	factor int64
}{{"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}}

// ParseRate reads a rate as tc writes it (20mbit, 512kbit, 1.5gbit) into bits per second.
func ParseRate(text string) (int64, error) {
	lower := strings.ToLower(strings.TrimSpace(text))
	for _, unit := range rateUnits {
		number, found := strings.CutSuffix(lower, unit.suffix)
		if !found {
			continue
		}
		value, err := strconv.ParseFloat(number, 64)
		if err != nil || !(value > 0) || value*float64(unit.factor) > 1e12 {
			break
		}
		return int64(value * float64(unit.factor)), nil
	}
	return 0, fmt.Errorf("--rate %q: write a number and a unit of kbit, mbit or gbit, such as 20mbit", text)
}

// FormatRate writes a rate the way ParseRate reads it; an unlimited one is empty.
func FormatRate(rate int64) string {
	if rate == 0 {
		return ""
	}
	for _, unit := range rateUnits {
		if rate%unit.factor == 0 {
			return strconv.FormatInt(rate/unit.factor, 10) + unit.suffix
		}
	}
	return ""
}
