package plan

import (
	"strings"
	"testing"
	"time"
)

func TestParseRate(t *testing.T) {
	tests := []struct {
		text string
		want int64
	}{
		{"20mbit", 20_000_000},
		{"20Mbit", 20_000_000},
		{" 512kbit ", 512_000},
		{"1.5gbit", 1_500_000_000},
		{"8000bit", 8000},
	}
	for _, test := range tests {
		if got, err := ParseRate(test.text); err != nil || got != test.want {
			t.Errorf("ParseRate(%q) = %d, %v; want %d", test.text, got, err, test.want)
		}
	}
	for _, bad := range []string{"", "20", "mbit", "-1mbit", "0mbit", "20mbps", "NaNmbit", "Infgbit", "9999999gbit", "1e400mbit"} {
		if got, err := ParseRate(bad); err == nil {
			t.Errorf("ParseRate(%q) = %d", bad, got)
		}
	}
}

func TestFormatRateReadsBack(t *testing.T) {
	for _, rate := range []int64{8_000, 20_000_000, 1_500_000_000, 1_000_000_000, 8_001} {
		if got, err := ParseRate(FormatRate(rate)); err != nil || got != rate {
			t.Errorf("%d is written %q and read %d, %v", rate, FormatRate(rate), got, err)
		}
	}
	if got := FormatRate(0); got != "" {
		t.Errorf("unlimited is written %q", got)
	}
}

func TestOfficeCheck(t *testing.T) {
	tests := []struct {
		name   string
		office Office
		want   string
	}{
		{"unlimited", Office{Name: "paris"}, ""},
		{"limited", Office{Name: "paris", Rate: 20e6, Latency: 50 * time.Millisecond}, ""},
		{"name of a node", Office{Name: "n1"}, "n1"},
		{"too slow", Office{Name: "paris", Rate: 1000, Latency: time.Second}, "--rate"},
		{"no queue", Office{Name: "paris", Rate: 20e6}, "--latency"},
		{"endless queue", Office{Name: "paris", Rate: 20e6, Latency: time.Minute}, "--latency"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.office.Check()
			if test.want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v; want an error that names %s", err, test.want)
			}
		})
	}
}

func TestQdisc(t *testing.T) {
	tests := []struct {
		name   string
		office Office
		want   string
	}{
		{"unlimited", Office{}, "qdisc del dev eth0 root"},
		{"slow: a burst of one full packet", Office{Rate: 20e6, Latency: 50 * time.Millisecond}, "qdisc replace dev eth0 root tbf rate 20000000bit burst 65536 latency 50000us"},
		{"fast: a burst of ten milliseconds", Office{Rate: 1e9, Latency: 5 * time.Millisecond}, "qdisc replace dev eth0 root tbf rate 1000000000bit burst 1250000 latency 5000us"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(test.office.Qdisc("eth0"), " "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
