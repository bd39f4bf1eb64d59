package stats

import "testing"

func TestDivided(t *testing.T) {
	for name, c := range map[string]struct {
		site        HidingSite
		fresh, kept bool
	}{
		"nothing":                      {HidingSite{}, false, false},
		"all of four":                  {HidingSite{Viewers: 4, Hidden: 4, Subnets: true}, true, true},
		"half of them":                 {HidingSite{Viewers: 10, Hidden: 5, Subnets: true}, true, true},
		"less than half":               {HidingSite{Viewers: 10, Hidden: 4, Subnets: true}, false, true},
		"a quarter":                    {HidingSite{Viewers: 8, Hidden: 2, Subnets: true}, false, true},
		"less than a quarter":          {HidingSite{Viewers: 9, Hidden: 2, Subnets: true}, false, false},
		"one subnet":                   {HidingSite{Viewers: 100, Hidden: 100}, false, false},
		"three viewers":                {HidingSite{Viewers: 3, Hidden: 3, Subnets: true}, false, true},
		"one viewer":                   {HidingSite{Viewers: 1, Hidden: 1, Subnets: true}, false, false},
		"a STUN server inside helps":   {HidingSite{Viewers: 10, Hidden: 1, Reflected: 9, Subnets: true}, false, false},
		"numbers that no tracker says": {HidingSite{Viewers: -1, Hidden: -1, Subnets: true}, false, false},
	} {
		if fresh, kept := c.site.Divided(false), c.site.Divided(true); fresh != c.fresh || kept != c.kept {
			t.Errorf("%s: %v and %v, want %v and %v", name, fresh, kept, c.fresh, c.kept)
		}
	}
}
