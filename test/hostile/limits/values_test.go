package limits

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/tracker"
)

// valueOf finds a default: that of a field, `limits.sockets`, or a constant, `sockets.maxFramesWithoutMessage` in `runtime/tracker/sockets`.
func valueOf(config any, field string) (string, error) {
	name, dir, fixed := strings.Cut(field, " in ")
	name, dir = strings.Trim(name, "`"), strings.Trim(dir, "`")
	if fixed {
		_, constant, _ := strings.Cut(name, ".")
		return constantOf(dir, constant)
	}
	v := reflect.ValueOf(config)
path:
	for part := range strings.SplitSeq(name, ".") {
		for i := range v.NumField() {
			if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); tag == part {
				v = reflect.Indirect(v.Field(i))
				continue path
			}
		}
		return "", fmt.Errorf("there is no field %s", name)
	}
	switch {
	case v.Type() == reflect.TypeFor[tracker.Duration]():
		return duration(time.Duration(v.Int())), nil
	case v.CanInt():
		return thousands(v.Int()), nil
	case v.CanFloat():
		return thousands(int64(v.Float())), nil
	}
	return "", fmt.Errorf("field %s is a %s", name, v.Type())
}

// duration writes 1m for 1m0s.
func duration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"0s", "0m"} {
		if cut, ok := strings.CutSuffix(s, zero); ok && strings.HasSuffix(cut, map[string]string{"0s": "m", "0m": "h"}[zero]) {
			s = cut
		}
	}
	return s
}

// thousands writes 65,536.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
