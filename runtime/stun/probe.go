package stun

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// firstRetransmit is the first interval after which an unanswered request is
// sent again; it doubles each time (RFC 8489 §6.2.1).
const firstRetransmit = 500 * time.Millisecond

// defaultProbeTimeout bounds a probe whose context has no deadline.
const defaultProbeTimeout = 5 * time.Second

// Probe asks the STUN server at addr (host:port) over UDP for the caller's
// address as the server sees it. It retransmits until an answer arrives or ctx
// ends (after 5 s if ctx has no deadline). Errors: the address cannot be resolved
// or reached, no answer arrived in time, or the server answered with an error.
func Probe(ctx context.Context, addr string) (mapped netip.AddrPort, err error) {
	return probe(ctx, "udp", addr)
}

// ProbeTCP is Probe over TCP.
func ProbeTCP(ctx context.Context, addr string) (mapped netip.AddrPort, err error) {
	return probe(ctx, "tcp", addr)
}

func probe(ctx context.Context, network, addr string) (netip.AddrPort, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, defaultProbeTimeout)
		defer cancel()
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("connecting to STUN server %s: %w", addr, err)
	}
	// Closing wakes a blocked read when ctx ends.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		stop()
		_ = conn.Close() // the exchange is complete
	}()
	req, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("building a binding request: %w", err)
	}
	mapped, err := exchange(ctx, conn, network == "udp", req)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("no answer: %w", ctx.Err())
		}
		return netip.AddrPort{}, fmt.Errorf("asking STUN server %s over %s: %w", addr, network, err)
	}
	return mapped, nil
}

// exchange sends req, retransmitting it over UDP, until its answer arrives.
func exchange(ctx context.Context, conn net.Conn, datagrams bool, req *stun.Message) (netip.AddrPort, error) {
	buf := make([]byte, MaxMessage)
	interval := firstRetransmit
	for ctx.Err() == nil {
		if _, err := conn.Write(req.Raw); err != nil {
			return netip.AddrPort{}, err
		}
		if datagrams {
			if err := conn.SetReadDeadline(time.Now().Add(interval)); err != nil {
				return netip.AddrPort{}, err
			}
			interval *= 2
		}
		mapped, err := readAnswer(conn, datagrams, buf, req.TransactionID)
		if !isTimeout(err) {
			return mapped, err
		}
	}
	return netip.AddrPort{}, ctx.Err()
}

// readAnswer reads until the answer to the request id arrives; it ignores
// everything else, such as forged or late answers.
func readAnswer(conn net.Conn, datagrams bool, buf []byte, id [stun.TransactionIDSize]byte) (netip.AddrPort, error) {
	for {
		var n int
		var err error
		if datagrams {
			n, err = conn.Read(buf)
		} else {
			n, err = readFrame(conn, buf)
		}
		if err != nil {
			return netip.AddrPort{}, err
		}
		res := &stun.Message{Raw: buf[:n]}
		if res.Decode() != nil || res.TransactionID != id {
			continue
		}
		if res.Type == stun.BindingError {
			var code stun.ErrorCodeAttribute
			if err := code.GetFrom(res); err != nil {
				return netip.AddrPort{}, fmt.Errorf("reading the error code: %w", err)
			}
			return netip.AddrPort{}, fmt.Errorf("the server answered %d %s", code.Code, code.Reason)
		}
		if res.Type != stun.BindingSuccess {
			continue
		}
		return mappedAddress(res)
	}
}

// mappedAddress reads XOR-MAPPED-ADDRESS.
func mappedAddress(res *stun.Message) (netip.AddrPort, error) {
	var a stun.XORMappedAddress
	if err := a.GetFrom(res); err != nil {
		return netip.AddrPort{}, fmt.Errorf("reading the mapped address: %w", err)
	}
	ip, ok := netip.AddrFromSlice(a.IP)
	if !ok || a.Port < 0 || a.Port > 65535 {
		return netip.AddrPort{}, errors.New("the mapped address is not an address")
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(a.Port)), nil
}
