//go:build linux

package netns

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestDropUDP proves what the tests with blocked UDP rest on: UDP is lost, TCP is not.
func TestDropUDP(t *testing.T) {
	n := New(t)
	udp, err := net.ListenPacket("udp", net.JoinHostPort(n.HostIP.String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	tcp, err := net.Listen("tcp", net.JoinHostPort(n.HostIP.String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()

	arrives := func(wait time.Duration) bool {
		t.Helper()
		conn, err := n.Dial(t.Context(), "udp", udp.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		// A dropped packet of one's own is an error to the sender on some kernels.
		_, _ = conn.Write([]byte("x"))
		if err := udp.SetReadDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
		_, _, err = udp.ReadFrom(make([]byte, 8))
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		return err == nil
	}
	if !arrives(5 * time.Second) {
		t.Fatal("UDP does not arrive before it is blocked")
	}
	n.DropUDP()
	if arrives(300 * time.Millisecond) {
		t.Error("UDP arrives although it is blocked")
	}
	conn, err := n.Dial(t.Context(), "tcp", tcp.Addr().String())
	if err != nil {
		t.Errorf("TCP does not connect while UDP is blocked: %v", err)
	} else {
		_ = conn.Close()
	}
	n.AllowUDP()
	if !arrives(5 * time.Second) {
		t.Error("UDP does not arrive after AllowUDP")
	}
}

// TestOpen proves that a namespace which exists can be used by its name, and that a socket made in it
// belongs to it: the same address is free here and taken there.
func TestOpen(t *testing.T) {
	n := Open(t, New(t).Name)
	l, err := n.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if conn, err := n.Dial(t.Context(), "tcp", l.Addr().String()); err != nil {
		t.Errorf("dialing within the namespace: %v", err)
	} else {
		_ = conn.Close()
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("the namespace's loopback answers outside of it")
	}
}

// TestChildrenOutliveASocket starts programs that are to end with their parent, as all tests do, and makes sockets
// inside a namespace: no thread may end for that, since it is the parent of what was started on it.
func TestChildrenOutliveASocket(t *testing.T) {
	const children, sockets = 16, 100
	n := New(t)
	ended := make(chan string, children) // how
	var all []*exec.Cmd
	for range children {
		cmd := exec.Command("sleep", "60")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
		go func() { ended <- fmt.Sprint(cmd.Wait()) }()
	}
	for range sockets {
		l, err := n.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close() // it has no connections
	}
	select {
	case how := <-ended:
		t.Fatalf("a program ended: %s", how)
	default:
	}
	for _, cmd := range all {
		_ = cmd.Process.Kill() // awaited below
	}
	for range children {
		<-ended
	}
	// Nor has a thread stayed inside.
	outside := make(map[string]bool)
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil || len(threads) == 0 {
		t.Fatalf("listing threads: %d, %v", len(threads), err)
	}
	for _, thread := range threads {
		if name, err := os.Readlink(thread); err == nil {
			outside[name] = true
		}
	}
	if len(outside) != 1 {
		t.Errorf("threads are in %d namespaces, want one", len(outside))
	}
}
