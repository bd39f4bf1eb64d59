package main

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// environment reads "A=1 B=2".
func environment(text string) func(string) string {
	return func(name string) string {
		for pair := range strings.FieldsSeq(text) {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value
			}
		}
		return ""
	}
}

func noEnv(string) string { return "" }

func TestParseOptions(t *testing.T) {
	t.Parallel()
	usual := options{viewers: defaultViewers}
	with := func(change func(*options)) options {
		o := usual
		change(&o)
		return o
	}
	for name, tt := range map[string]struct {
		args []string
		env  string
		want options
	}{
		"nothing":                   {nil, "", usual},
		"a file":                    {[]string{"-f", "s.yaml"}, "", with(func(o *options) { o.file = "s.yaml" })},
		"viewers":                   {[]string{"--viewers", "10"}, "", with(func(o *options) { o.viewers, o.asked = 10, true })},
		"for a time":                {[]string{"--for", "60s"}, "", with(func(o *options) { o.runFor = time.Minute })},
		"for a time, by variable":   {nil, "DEMO_FOR=90s", with(func(o *options) { o.runFor = 90 * time.Second })},
		"the flag wins":             {[]string{"--for", "5s"}, "DEMO_FOR=90s", with(func(o *options) { o.runFor = 5 * time.Second })},
		"the flag wins, and is 0":   {[]string{"--for", "0"}, "DEMO_FOR=90s", usual},
		"a cluster":                 {[]string{"--cluster", "kind-a", "--image", "r/p:1"}, "", with(func(o *options) { o.cluster, o.image = "kind-a", "r/p:1" })},
		"a cluster, by variable":    {nil, "CLUSTER=kind-a IMAGE=r/p:1", with(func(o *options) { o.cluster, o.image = "kind-a", "r/p:1" })},
		"another cluster by flag":   {[]string{"--cluster", "b"}, "CLUSTER=kind-a IMAGE=r/p:1", with(func(o *options) { o.cluster, o.image = "b", "r/p:1" })},
		"no cluster, some image":    {nil, "IMAGE=r/p:1", usual},
		"in process, some cluster":  {[]string{"--in-process"}, "CLUSTER=kind-a", with(func(o *options) { o.inProcess = true })},
		"in process":                {[]string{"--in-process"}, "", with(func(o *options) { o.inProcess = true })},
		"flags of the other demo":   {[]string{"--listen", ":1", "--log-level=debug"}, "", with(func(o *options) { o.passOn = []string{"--listen", ":1", "--log-level", "debug"} })},
		"the other demo's own time": {[]string{"--in-process", "--for=9s"}, "", with(func(o *options) { o.inProcess, o.runFor = true, 9*time.Second })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseOptions(tt.args, environment(tt.env), &bytes.Buffer{})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("parseOptions = %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestParseOptionsRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args []string
		env  string
		want string
	}{
		"an unknown flag":            {[]string{"--sauce"}, "", "--sauce"},
		"words":                      {[]string{"now"}, "", `unexpected argument "now"`},
		"too many viewers":           {[]string{"--viewers", "61"}, "", "--viewers: 61"},
		"fewer than none":            {[]string{"--viewers", "-1"}, "", "--viewers: -1"},
		"a time that is none":        {[]string{"--for", "long"}, "", "--for"},
		"a negative time":            {[]string{"--for", "-5s"}, "", "--for: -5s"},
		"a variable that is no time": {nil, "DEMO_FOR=long", forVariable + `: "long"`},
		"an empty cluster":           {[]string{"--cluster", ""}, "", "--cluster: is empty"},
		"an empty image":             {[]string{"--cluster", "a", "--image="}, "", "--image: is empty"},
		"an image alone":             {[]string{"--image", "r/p:1"}, "", "--image: only with --cluster"},
		"two places":                 {[]string{"--in-process", "--cluster", "a"}, "", "--in-process: cannot be combined with --cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseOptions(tt.args, environment(tt.env), &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("parseOptions = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestHelpShowsAnExample(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if _, err := parseOptions([]string{"--help"}, noEnv, &out); !errors.Is(err, errHelp) {
		t.Fatalf("parseOptions = %v, want errHelp", err)
	}
	for _, want := range []string{"scripts/demo.sh --for 60s", "--cluster", "--image", "--in-process"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the help does not contain %q:\n%s", want, out.String())
		}
	}
}

func TestChooseMode(t *testing.T) {
	t.Parallel()
	root, user, mac := facts{"linux", 0}, facts{"linux", 1000}, facts{"darwin", 0}
	for name, tt := range map[string]struct {
		args  []string
		facts facts
		want  mode
		why   string
		err   string
	}{
		"root on Linux":               {nil, root, modeOwnCluster, "", ""},
		"a user on Linux":             {nil, user, modeInProcess, "needs root", ""},
		"another system":              {nil, mac, modeInProcess, "needs Linux", ""},
		"an existing cluster":         {[]string{"--cluster", "a"}, user, modeExistingCluster, "", ""},
		"an existing cluster, on mac": {[]string{"--cluster", "a"}, mac, modeExistingCluster, "", ""},
		"--in-process given":          {[]string{"--in-process"}, root, modeInProcess, "", ""},
		"the user's own stream":       {[]string{"-f", "s.yaml"}, root, modeInProcess, "cannot reach the origin", ""},
		"that, on a cluster":          {[]string{"-f", "s.yaml", "--cluster", "a"}, root, modeExistingCluster, "", ""},
		"flags of the other demo":     {[]string{"--listen", ":1"}, user, modeInProcess, "needs root", ""},
		"three viewers on a cluster":  {[]string{"--viewers", "3"}, root, 0, "", "--viewers: 3"},
		"two of one's own stream":     {[]string{"--viewers", "2", "-f", "s.yaml", "--cluster", "a"}, root, modeExistingCluster, "", ""},
		"one viewer in one process":   {[]string{"--viewers", "1", "--in-process"}, root, modeInProcess, "", ""},
		"flags that do not fit":       {[]string{"--listen", ":1"}, root, 0, "", "--listen: only for the demo in one process"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := parseOptions(tt.args, noEnv, &bytes.Buffer{})
			if err != nil {
				t.Fatal(err)
			}
			got, why, err := chooseMode(o, tt.facts)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("chooseMode = %v, want an error with %q", err, tt.err)
				}
				return
			}
			if err != nil || got != tt.want || !strings.Contains(why, tt.why) || (why == "") != (tt.why == "") {
				t.Errorf("chooseMode = %v, %q, %v, want %v, %q", got, why, err, tt.want, tt.why)
			}
		})
	}
}

func TestInProcessArgs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"nothing":    {nil, "demo"},
		"everything": {[]string{"-f", "s.yaml", "--viewers", "2", "--for", "1m", "--listen", ":1"}, "demo --file s.yaml --viewers 2 --duration 1m0s --listen :1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := parseOptions(tt.args, noEnv, &bytes.Buffer{})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(inProcessArgs(o), " "); got != tt.want {
				t.Errorf("inProcessArgs = %s, want %s", got, tt.want)
			}
		})
	}
}
