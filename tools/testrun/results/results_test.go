package results

import (
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, want string
	}{
		{"nothing", ``, "0 passed, 0 failed, 0 skipped"},
		{"outcomes", `{"Action":"run","Package":"p","Test":"A"}
			{"Action":"pass","Package":"p","Test":"A"}
			{"Action":"run","Package":"p","Test":"B"}
			{"Action":"skip","Package":"p","Test":"B"}
			{"Action":"run","Package":"p","Test":"C"}
			{"Action":"fail","Package":"p","Test":"C"}
			{"Action":"fail","Package":"p"}`, "1 passed, 1 failed, 1 skipped"},
		{"unfinished test fails", `{"Action":"run","Package":"p","Test":"A"}
			{"Action":"fail","Package":"p"}`, "0 passed, 1 failed, 0 skipped"},
		{"package that does not build", `{"Action":"build-fail","ImportPath":"p"}
			{"Action":"fail","Package":"p"}`, "0 passed, 1 failed, 0 skipped"},
		{"package without tests", `{"Action":"skip","Package":"p"}`, "0 passed, 0 failed, 0 skipped"},
		{"package that passes", `{"Action":"run","Package":"p","Test":"A"}
			{"Action":"pass","Package":"p","Test":"A"}
			{"Action":"pass","Package":"p"}`, "1 passed, 0 failed, 0 skipped"},
		{"same name in two packages", `{"Action":"pass","Package":"p","Test":"A"}
			{"Action":"pass","Package":"q","Test":"A"}`, "2 passed, 0 failed, 0 skipped"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			read, err := Read(strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := read.Sum().String(); got != tt.want {
				t.Errorf("Read = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestReadRefusesGarbage(t *testing.T) {
	t.Parallel()
	if _, err := Read(strings.NewReader("not json")); err == nil {
		t.Error("Read of garbage gave no error")
	}
}

func TestReadReturnsWhatCameBeforeTheEnd(t *testing.T) {
	t.Parallel()
	read, err := Read(strings.NewReader(`{"Action":"pass","Package":"p","Test":"A"}
		{"Action":"run","Package":"p","Test":"B"}
		{"Action":"pa`))
	if err == nil {
		t.Error("a stream cut in the middle of an event gave no error")
	}
	if len(read.With(Passed)) != 1 || len(read.With(Running)) != 1 {
		t.Errorf("Read = %v, want A passed and B running", read)
	}
}

func TestReadKeepsTheOutputOfFailures(t *testing.T) {
	t.Parallel()
	read, err := Read(strings.NewReader(`{"Action":"run","Package":"p","Test":"A"}
		{"Action":"output","Package":"p","Test":"A","Output":"quiet\n"}
		{"Action":"pass","Package":"p","Test":"A"}
		{"Action":"run","Package":"p","Test":"B"}
		{"Action":"output","Package":"p","Test":"B","Output":"loud\n"}
		{"Action":"fail","Package":"p","Test":"B"}
		{"Action":"fail","Package":"p"}
		{"Action":"build-output","ImportPath":"q [q.test]","Output":"undefined: x\n"}
		{"Action":"fail","Package":"q","FailedBuild":"q [q.test]"}
		{"Action":"output","Package":"r","Output":"panic: y\n"}
		{"Action":"fail","Package":"r"}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, test := range read {
		got = append(got, test.String()+": "+strings.TrimSpace(test.Output))
	}
	want := []string{
		"p A: ", "p B: loud",
		"q (did not build, or its process died): undefined: x",
		"r (did not build, or its process died): panic: y",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("Read gives\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	line := `{"Action":"output","Package":"p","Test":"A","Output":"` + strings.Repeat("x", 1000) + `\n"}` + "\n"
	read, err := Read(strings.NewReader(`{"Action":"run","Package":"p","Test":"A"}` + strings.Repeat(line, 100) +
		`{"Action":"output","Package":"p","Test":"A","Output":"the end"}{"Action":"fail","Package":"p","Test":"A"}`))
	if err != nil {
		t.Fatal(err)
	}
	if out := read[0].Output; len(out) > maxOutput || !strings.HasSuffix(out, "the end") {
		t.Errorf("kept %d bytes, want at most %d and the end", len(out), maxOutput)
	}
}
