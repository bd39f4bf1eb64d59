package main

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
			sum, err := Read(strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := sum.String(); got != tt.want {
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
