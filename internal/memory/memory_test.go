package memory

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestLimit(t *testing.T) {
	for name, tt := range map[string]struct {
		runtime int64
		v2, v1  string // contents; empty: no file
		want    int64
	}{
		"nothing is known":       {math.MaxInt64, "", "", 0},
		"no limit":               {math.MaxInt64, "max\n", "", 0},
		"no limit, version 1":    {math.MaxInt64, "", "9223372036854771712\n", 0},
		"the container's":        {math.MaxInt64, "1073741824\n", "", 1 << 30},
		"version 1":              {math.MaxInt64, "", "1073741824\n", 1 << 30},
		"the runtime's is lower": {900, "1000\n", "", 900},
		"only the runtime's":     {900, "max\n", "", 900},
		"something else":         {math.MaxInt64, "much\n", "-1\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			files := []string{filepath.Join(t.TempDir(), "v2"), filepath.Join(t.TempDir(), "v1")}
			for i, content := range []string{tt.v2, tt.v1} {
				if content == "" {
					continue
				}
				if err := os.WriteFile(files[i], []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := limit(tt.runtime, files); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}
