package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestLockKeepsOthersOut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cluster")
	release, err := Lock(t.Context(), dir, func() { t.Error("waits for a lock that is free") })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	told := 0
	_, err = Lock(ctx, dir, func() { told++; cancel() })
	if !errors.Is(err, context.Canceled) || told != 1 {
		t.Errorf("got %v after being told %d times", err, told)
	}
	release()
	again, err := Lock(t.Context(), dir, func() { t.Error("waits for one who is gone") })
	if err != nil {
		t.Fatal(err)
	}
	again()
}

// The last holder may have removed the folder: the process that waited must then hold the new one.
func TestLockOutlivesItsFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cluster")
	release, err := Lock(t.Context(), dir, func() {})
	if err != nil {
		t.Fatal(err)
	}
	again, err := Lock(t.Context(), dir, func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
		release()
	})
	if err != nil {
		t.Fatal(err)
	}
	defer again()
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the folder that is held has no name: %v", err)
	}
}
