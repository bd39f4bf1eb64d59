//go:build linux

package netns

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Namespace is a network. One that New made is joined to this machine by a veth pair and gone when the
// test ends; one that Open named was made elsewhere, and its addresses are not known here.
type Namespace struct {
	Name   string
	HostIP netip.Addr // this machine, as the namespace sees it
	IP     netip.Addr // the namespace, as this machine sees it

	tb testing.TB
}

// Open names a namespace that exists already, and neither changes it nor takes it away.
func Open(tb testing.TB, name string) *Namespace {
	tb.Helper()
	if _, err := os.Stat(filepath.Join("/run/netns", name)); err != nil {
		tb.Fatalf("no network namespace %q: %v; `ip netns` lists those there are", name, err)
	}
	return &Namespace{Name: name, tb: tb}
}

// New makes a namespace that reaches this machine and nothing else.
func New(tb testing.TB) *Namespace {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Fatal("network namespaces need root; run: sudo -E env PATH=$PATH make interop")
	}
	var random [3]byte
	_, _ = rand.Read(random[:]) // never fails
	id := hex.EncodeToString(random[:])
	// 198.18.0.0/15 is set aside for tests of networks (RFC 2544).
	base := [4]byte{198, 18 + random[0]&1, random[1], random[2] &^ 3}
	n := &Namespace{Name: "p2s-" + id, tb: tb}
	base[3]++
	n.HostIP = netip.AddrFrom4(base)
	base[3]++
	n.IP = netip.AddrFrom4(base)

	host, guest := "p2sh"+id, "p2sg"+id
	tb.Cleanup(func() {
		// Deleting one end of the pair deletes both.
		for _, args := range [][]string{{"link", "del", host}, {"netns", "del", n.Name}} {
			if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
				tb.Errorf("cleaning up: ip %s: %v: %s", strings.Join(args, " "), err, out)
			}
		}
	})
	n.must("ip", "netns", "add", n.Name)
	n.must("ip", "link", "add", host, "type", "veth", "peer", "name", guest, "netns", n.Name)
	// An IPv6 address would appear a second or two later, and Chromium then fails whatever it is fetching.
	n.must("ip", "link", "set", host, "addrgenmode", "none")
	n.inside("ip", "link", "set", guest, "addrgenmode", "none")
	n.must("ip", "addr", "add", n.HostIP.String()+"/30", "dev", host)
	n.must("ip", "link", "set", host, "up")
	n.inside("ip", "addr", "add", n.IP.String()+"/30", "dev", guest)
	n.inside("ip", "link", "set", guest, "up")
	n.inside("ip", "link", "set", "lo", "up")
	n.inside("ip", "route", "add", "default", "via", n.HostIP.String())
	return n
}

// DropUDP drops every UDP packet that enters or leaves the namespace, and those within it.
func (n *Namespace) DropUDP() {
	n.tb.Helper()
	n.inside("nft", `add table inet p2p
add chain inet p2p in { type filter hook input priority 0; policy accept; }
add chain inet p2p out { type filter hook output priority 0; policy accept; }
add rule inet p2p in meta l4proto udp counter drop
add rule inet p2p out meta l4proto udp counter drop`)
}

// AllowUDP takes DropUDP back.
func (n *Namespace) AllowUDP() {
	n.tb.Helper()
	n.inside("nft", "delete table inet p2p")
}

// Wrap makes cmd run inside the namespace.
func (n *Namespace) Wrap(cmd *exec.Cmd) {
	ip, err := exec.LookPath("ip")
	if err != nil {
		n.tb.Fatalf("ip is missing; run: make deps (%v)", err)
	}
	cmd.Args = append([]string{"ip", "netns", "exec", n.Name, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = ip
}

// Dial connects as a program inside the namespace would.
func (n *Namespace) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return within(n, func() (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	})
}

// Listen listens as a program inside the namespace would.
func (n *Namespace) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	return within(n, func() (net.Listener, error) {
		var l net.ListenConfig
		return l.Listen(ctx, network, address)
	})
}

// within makes a socket on a thread that is in the namespace. A socket stays in the namespace
// where it was made, whichever thread uses it later.
//
// The thread returns to where it came from. Ending it instead would kill the processes that happen to have been started
// on it, if they are to end with their parent: Linux takes the thread for the parent (PR_SET_PDEATHSIG).
func within[T any](n *Namespace, makeSocket func() (T, error)) (T, error) {
	type result struct {
		socket T
		err    error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		var r result
		defer func() { done <- r }()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			runtime.UnlockOSThread()
			r.err = fmt.Errorf("opening own namespace: %w", err)
			return
		}
		defer func() { _ = home.Close() }() // opened for reading only
		if r.err = n.enter(); r.err == nil {
			r.socket, r.err = makeSocket()
		}
		if err := unix.Setns(int(home.Fd()), syscall.CLONE_NEWNET); err != nil {
			r.err = errors.Join(r.err, fmt.Errorf("leaving namespace: %w", err))
			return // a thread that stays inside must end: it is not unlocked
		}
		runtime.UnlockOSThread()
	}()
	r := <-done
	return r.socket, r.err
}

func (n *Namespace) enter() error {
	f, err := os.Open(filepath.Join("/run/netns", n.Name))
	if err != nil {
		return fmt.Errorf("opening namespace: %w", err)
	}
	defer f.Close() //nolint:errcheck // opened for reading only
	if err := unix.Setns(int(f.Fd()), syscall.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering namespace: %w", err)
	}
	return nil
}

func (n *Namespace) inside(name string, args ...string) {
	n.tb.Helper()
	n.must("ip", append([]string{"netns", "exec", n.Name, name}, args...)...)
}

func (n *Namespace) must(name string, args ...string) {
	n.tb.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		n.tb.Fatalf("%s %s: %v: %s (is it installed? run: make deps)", name, strings.Join(args, " "), err, out)
	}
}
