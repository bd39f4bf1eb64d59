package seeder

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pstream/p2pstream/runtime/seeder/config"
)

// book is a directory of names for tests: each lookup gets the next of the answers, the last one for ever.
type book struct {
	answers [][]string
	asked   int
}

func (b *book) find(context.Context, string) ([]netip.Addr, error) {
	if len(b.answers) == 0 {
		return nil, errors.New("no such host")
	}
	answer := b.answers[min(b.asked, len(b.answers)-1)]
	b.asked++
	var addrs []netip.Addr
	for _, text := range answer {
		addrs = append(addrs, netip.MustParseAddr(text))
	}
	return addrs, nil
}

func advertiseFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "advertise.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAdvertised(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file    string // content
		own     []string
		answers [][]string
		want    []string
		err     string
	}{
		"an address":                       {`{"a": ["192.0.2.10"]}`, nil, nil, []string{"192.0.2.10"}, ""},
		"instead of its own":               {`{"a": ["192.0.2.10"]}`, []string{"10.0.0.1"}, nil, []string{"192.0.2.10"}, ""},
		"its own when it is not listed":    {`{"b": ["192.0.2.10"]}`, []string{"10.0.0.1"}, nil, []string{"10.0.0.1"}, ""},
		"sorted, each once":                {`{"a": ["192.0.2.11", "192.0.2.10", "192.0.2.11"]}`, nil, nil, []string{"192.0.2.10", "192.0.2.11"}, ""},
		"a name":                           {`{"a": ["lb.example.com"]}`, nil, [][]string{{"192.0.2.12", "192.0.2.10"}}, []string{"192.0.2.10", "192.0.2.12"}, ""},
		"an unknown name":                  {`{"a": ["lb.example.com"]}`, nil, nil, nil, "no such host"},
		"addresses that no peer reaches":   {`{"a": ["0.0.0.0"]}`, nil, nil, nil, "none of the addresses"},
		"not listed":                       {`{}`, nil, nil, nil, "lists no address for a"},
		"more than a seeder may advertise": {`{"a": ["1.0.0.1","1.0.0.2","1.0.0.3","1.0.0.4","1.0.0.5","1.0.0.6","1.0.0.7","1.0.0.8","1.0.0.9"]}`, nil, nil, nil, "more than 8"},
		"not a JSON object":                {`["192.0.2.10"]`, nil, nil, nil, "is not a JSON object"},
		"too large":                        {strings.Repeat(" ", maxAdvertiseFile+1), nil, nil, nil, "more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config.Config{AdvertiseFile: advertiseFile(t, tt.file), AdvertiseName: "a", Advertise: tt.own}
			got, err := advertised(t.Context(), cfg, (&book{answers: tt.answers}).find)
			if !slices.Equal(got, tt.want) || (err == nil) != (tt.err == "") || (err != nil && !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %v, error %v", got, err)
			}
		})
	}
}

// TestAdvertisedLeavesOutFamiliesThatAreNotHere: nothing listens on an address of a family that the machine does not have.
func TestAdvertisedLeavesOutFamiliesThatAreNotHere(t *testing.T) {
	t.Parallel()
	cfg := config.Config{AdvertiseFile: advertiseFile(t, `{"a": ["192.0.2.10", "2001:db8::10"]}`), AdvertiseName: "a"}
	got, err := advertised(t.Context(), cfg, systemLookup)
	if err != nil || !slices.Contains(got, "192.0.2.10") {
		t.Errorf("got %v, error %v", got, err)
	}
}

// TestPlaceMovedToAnotherAddress: changed addresses are noticed, and a file that cannot be read is ignored.
func TestPlaceMovedToAnotherAddress(t *testing.T) {
	file := advertiseFile(t, `{}`)
	synctest.Test(t, func(t *testing.T) {
		cfg := config.Config{AdvertiseFile: file, AdvertiseName: "a", Advertise: []string{"10.0.0.1"}}
		for i, text := range []string{`{"b": ["192.0.2.9"]}`, `{"a": ["10.0.0.1"]}`, "nonsense", `{"a": ["192.0.2.10"]}`} {
			time.AfterFunc(time.Duration(i+1)*10*time.Second, func() {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Error(err)
				}
			})
		}
		began := time.Now()
		to, moved := placeMoved(t.Context(), cfg, systemLookup, place{addresses: []string{"10.0.0.1"}})
		if took := time.Since(began); !moved || !slices.Equal(to.addresses, []string{"192.0.2.10"}) || took < 40*time.Second || took > 42*time.Second {
			t.Errorf("moved %v to %v after %v", moved, to.addresses, took)
		}
	})
}

// TestNameWithManyAddresses: a server of names may answer with some of many addresses. Only when none of those in use is left,
// the seeder has moved.
func TestNameWithManyAddresses(t *testing.T) {
	file := advertiseFile(t, `{"a": ["lb.example.com"]}`)
	synctest.Test(t, func(t *testing.T) {
		names := &book{answers: [][]string{{"192.0.2.1", "192.0.2.2"}, {"192.0.2.2", "192.0.2.3"}, {"192.0.2.4"}}}
		cfg := config.Config{AdvertiseFile: file, AdvertiseName: "a"}
		to, moved := placeMoved(t.Context(), cfg, names.find, place{addresses: []string{"192.0.2.1", "192.0.2.2"}})
		if !moved || !slices.Equal(to.addresses, []string{"192.0.2.4"}) || names.asked != 3 {
			t.Errorf("moved %v to %v after %d lookups", moved, to.addresses, names.asked)
		}
	})
}
