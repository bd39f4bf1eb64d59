package main

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A kubelet ends programs by SIGTERM, and takes any exit code but 0 for a crash.
func TestSIGTERMEndsWithoutFailure(t *testing.T) {
	// Without a reader of its own a signal that comes too early or too late would end the test.
	guard := make(chan os.Signal, 1)
	signal.Notify(guard, syscall.SIGTERM)
	defer signal.Stop(guard)
	for _, args := range []string{
		"tracker --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0",
		"stun --listen 127.0.0.1:0",
		"origin --listen 127.0.0.1:0",
		"seeder --source http://127.0.0.1:9/m.m3u8 --tracker ws://127.0.0.1:9 --admin-listen= --drain 100ms",
		"viewer --listen 127.0.0.1:0 --source http://127.0.0.1:9/m.m3u8 --tracker ws://127.0.0.1:9",
		"viewer --headless --source http://127.0.0.1:9/m.m3u8 --tracker ws://127.0.0.1:9 --admin-listen 127.0.0.1:0",
		"demo --listen 127.0.0.1:0",
	} {
		name, _, _ := strings.Cut(args, " ")
		t.Run(name, func(t *testing.T) {
			done := make(chan int, 1)
			go func() { done <- run(strings.Fields(args)) }()
			deadline := time.After(30 * time.Second)
			again := time.NewTicker(200 * time.Millisecond)
			defer again.Stop()
			for {
				select {
				case code := <-done:
					if code != 0 {
						t.Errorf("exit code %d, want 0", code)
					}
					return
				case <-deadline:
					t.Fatal("still there 30 s after SIGTERM")
				case <-again.C:
					if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}
