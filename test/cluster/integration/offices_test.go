package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"
)

// serve runs the probe in an office until the test ends.
func (e env) serve(t *testing.T, place string) {
	t.Helper()
	cmd := e.command("exec", place, "--", e.probe)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
}

func (e env) testOffices(t *testing.T) {
	paris, berlin := e.office(t, "paris"), e.office(t, "berlin", "--rate", "16mbit", "--latency", "100ms")
	e.serve(t, "paris")
	outside := who{}
	expect(t, "http://"+paris.Address+":8080/", outside.by(hostAddress(t, paris.Address)))
	expect(t, e.fromA("get", "url", "http://"+paris.Address+":8080/"), outside.by(e.pods["a"]))
	expect(t, e.fromB("udp", "to", paris.Address+":8080"), outside.by(e.pods["b"]))

	e.sees(t, "berlin", "udp", paris.Address+":8080", outside.by(berlin.Address))
	e.sees(t, "berlin", "get", e.portA(), podA.by(berlin.Address))
	e.sees(t, "berlin", "udp", e.nodes["n1"]+":30080", podA.by(berlin.Address))

	t.Run("rate", func(t *testing.T) { e.testRate(t, berlin) })
	t.Run("drop udp", func(t *testing.T) {
		e.office(t, "paris", "--drop-udp")
		if w, err := e.seen("berlin", e.probe, "udp", paris.Address+":8080"); err == nil {
			t.Errorf("UDP into the office passes: %+v", w)
		}
		if w, err := e.seen("paris", e.probe, "udp", e.nodes["n1"]+":30080"); err == nil {
			t.Errorf("UDP out of the office passes: %+v", w)
		}
		e.sees(t, "berlin", "get", "http://"+paris.Address+":8080/", outside.by(berlin.Address))
		if again := e.office(t, "paris"); again.Address != paris.Address {
			t.Errorf("the office moved from %s to %s", paris.Address, again.Address)
		}
		e.sees(t, "berlin", "udp", paris.Address+":8080", outside.by(berlin.Address))
	})
	t.Run("remove", func(t *testing.T) {
		e.do(t, "office", "berlin", "--remove")
		if _, _, err := e.try("exec", "berlin", "--", "true"); err == nil {
			t.Error("an office that is removed runs programs")
		}
		if again := e.office(t, "rome"); again.Address != berlin.Address {
			t.Errorf("the next office has %s, not the free %s", again.Address, berlin.Address)
		}
	})
}

// Origins run on the host: pods and offices must reach it.
func (e env) testHost(t *testing.T) {
	listener, err := net.Listen("tcp", net.JoinHostPort(hostAddress(t, e.nodes["n1"]), "0"))
	if err != nil {
		t.Fatal(err)
	}
	origin := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, _, _ := net.SplitHostPort(r.RemoteAddr)
		_ = json.NewEncoder(w).Encode(who{Pod: "host", Seen: seen})
	})}
	served := make(chan error, 1)
	go func() { served <- origin.Serve(listener) }()
	t.Cleanup(func() {
		_ = origin.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the origin ended with %v", err)
		}
	})
	host, url := who{Pod: "host"}, "http://"+listener.Addr().String()+"/"
	expect(t, e.fromA("get", "url", url), host.by(e.nodes["n1"]))
	expect(t, e.fromB("get", "url", url), host.by(e.nodes["n2"]))
	e.sees(t, "paris", "get", url, host.by(e.office(t, "paris").Address))
}

// A node whose plug is pulled is gone, and back as it was when it is put back.
func (e env) testPlug(t *testing.T) {
	e.do(t, "exec", "wan", "--", "ip", "link", "set", "n1", "down")
	if body, err := get(t.Context(), e.portA()); err == nil {
		t.Errorf("a node without its plug answers: %s", body)
	}
	e.do(t, "exec", "wan", "--", "ip", "link", "set", "n1", "up")
	expect(t, e.portA(), podA)
	expect(t, e.fromA("get", "url", "http://b:8080/"), podB.by(e.pods["a"]))
}

func (e env) sees(t *testing.T, place, verb, target string, want who) {
	t.Helper()
	eventually(t, target+" from "+place, func() error {
		got, err := e.seen(place, e.probe, verb, target)
		if err == nil && got != want {
			err = fmt.Errorf("got %+v, want %+v", got, want)
		}
		return err
	})
}

// A token bucket lets a burst through and then holds the rate, in both directions.
func (e env) testRate(t *testing.T, o office) {
	const size = 2_000_000
	floor := time.Duration(float64(size-200_000) * 8 / 16e6 * float64(time.Second))
	before := e.offices(t)[o.Name]
	down := timed(t, func() error {
		_, _, err := e.try("exec", o.Name, "--", e.probe, "get", fmt.Sprint(e.portA(), "bytes?n=", size))
		return err
	})
	e.serve(t, o.Name)
	expect(t, "http://"+o.Address+":8080/", who{})
	up := timed(t, func() error {
		_, err := get(t.Context(), fmt.Sprint("http://", o.Address, ":8080/bytes?n=", size))
		return err
	})
	for direction, took := range map[string]time.Duration{"down": down, "up": up} {
		if took < floor {
			t.Errorf("%d bytes %s the line of 16 Mbit/s took %s, less than %s", size, direction, took, floor)
		}
	}
	after := e.offices(t)[o.Name]
	for direction, bytes := range map[string]uint64{"in": after.WANBytesIn - before.WANBytesIn, "out": after.WANBytesOut - before.WANBytesOut} {
		if bytes < size || bytes > size*3/2 {
			t.Errorf("%d bytes went %s, of which %d were asked for", bytes, direction, size)
		}
	}
}

func timed(t *testing.T, do func() error) time.Duration {
	t.Helper()
	began := time.Now()
	if err := do(); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

func (l launcher) offices(t *testing.T) map[string]office {
	t.Helper()
	var list []office
	decode(t, l.do(t, "offices", "--json"), &list)
	named := map[string]office{}
	for _, o := range list {
		named[o.Name] = o
	}
	return named
}

func (e env) testMasquerade(t *testing.T) {
	paris := e.office(t, "paris")
	e.serve(t, "paris")
	outside := who{}
	for _, verb := range []struct{ name, key, target string }{{"udp", "to", paris.Address + ":8080"}, {"get", "url", "http://" + paris.Address + ":8080/"}} {
		expect(t, e.fromA(verb.name, verb.key, verb.target), outside.by(e.pods["a"]))
		e.do(t, "masquerade", "on")
		expect(t, e.fromA(verb.name, verb.key, verb.target), outside.by(e.nodes["n1"]))
		expect(t, e.fromA("udp", "to", "b:8080"), podB.by(e.pods["a"]))
		e.do(t, "masquerade", "off")
		expect(t, e.fromA(verb.name, verb.key, verb.target), outside.by(e.pods["a"]))
	}
}
