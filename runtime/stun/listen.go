package stun

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// listeners are the sockets of one server: per address family one TCP listener
// and one UDP socket per reader.
type listeners struct {
	addr *net.UDPAddr
	udp  []*net.UDPConn
	tcp  []*net.TCPListener
}

// udpBufferBytes is the socket buffer size requested in both directions: a join
// storm arrives within milliseconds, and what does not fit is dropped silently.
// The kernel grants what net.core.rmem_max allows.
const udpBufferBytes = 4 << 20

// portAttempts bounds the search for a port that is free for all four sockets
// when the configuration does not set one.
const portAttempts = 16

// listen binds TCP and UDP on hostport. IPv4 and IPv6 get sockets of their own,
// so that no address ever appears in its IPv4-mapped form.
func listen(ctx context.Context, hostport string, readers int) (*listeners, error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, fmt.Errorf("reading listen address %q: %w", hostport, err)
	}
	families, ip, err := familiesOf(ctx, host)
	if err != nil {
		return nil, err
	}
	attempts := 1
	if port == "0" {
		attempts = portAttempts
	}
	var l *listeners
	for range attempts {
		if l, err = bind(ctx, families, ip, port, readers); err == nil {
			return l, nil
		}
	}
	return nil, err
}

// familiesOf resolves host into the address to bind and the families to serve.
func familiesOf(ctx context.Context, host string) (families []string, ip string, err error) {
	if host == "" {
		return []string{"4", "6"}, "", nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, "", fmt.Errorf("resolving listen address: %w", err)
	}
	addr := addrs[0].Unmap()
	if addr.Is4() {
		return []string{"4"}, addr.String(), nil
	}
	if addr == netip.IPv6Unspecified() {
		return []string{"4", "6"}, "", nil
	}
	return []string{"6"}, addr.String(), nil
}

// bind binds all sockets of all families to one port, or none.
func bind(ctx context.Context, families []string, ip, port string, readers int) (_ *listeners, err error) {
	l := &listeners{}
	defer func() {
		if err != nil {
			_ = l.close() // the error of binding is the one to report
		}
	}()
	for _, family := range families {
		var lc net.ListenConfig
		ln, err := lc.Listen(ctx, "tcp"+family, net.JoinHostPort(ip, port))
		if err != nil {
			if len(families) > 1 && family == "6" && len(l.udp) > 0 && unsupportedFamily(err) {
				continue // a host without IPv6
			}
			return nil, fmt.Errorf("listening on tcp%s: %w", family, err)
		}
		l.tcp = append(l.tcp, ln.(*net.TCPListener))
		bound := ln.Addr().(*net.TCPAddr)
		port = strconv.Itoa(bound.Port) // all further sockets get the port of the first
		if l.addr == nil || ip == "" {
			l.addr = &net.UDPAddr{IP: bound.IP, Port: bound.Port}
		}
		if err := l.bindUDP(ctx, family, net.JoinHostPort(ip, port), readers); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// bindUDP binds readers sockets to one UDP address; the kernel spreads senders
// over them. One goroutine on one socket is what limits throughput otherwise.
func (l *listeners) bindUDP(ctx context.Context, family, addr string, readers int) error {
	var lc net.ListenConfig
	if readers > 1 && reusePort != nil {
		lc.Control = reusePort
	} else {
		readers = 1
	}
	for range readers {
		pc, err := lc.ListenPacket(ctx, "udp"+family, addr)
		if err != nil {
			return fmt.Errorf("listening on udp%s: %w", family, err)
		}
		conn := pc.(*net.UDPConn)
		l.udp = append(l.udp, conn)
		// Smaller buffers than asked for still work.
		_ = conn.SetReadBuffer(udpBufferBytes)
		_ = conn.SetWriteBuffer(udpBufferBytes)
		if err := enablePacketInfo(conn, family); err != nil {
			return fmt.Errorf("enabling destination addresses on udp%s: %w", family, err)
		}
	}
	return nil
}

// unsupportedFamily reports whether err means that the host does not support the
// address family.
func unsupportedFamily(err error) bool {
	return errors.Is(err, errAddressFamily) || errors.Is(err, errAddressNotAvailable)
}

// loopbackOf returns the address at which a server bound to a can reach itself.
func loopbackOf(a *net.UDPAddr) netip.AddrPort {
	ip, _ := netip.AddrFromSlice(a.IP)
	ip = ip.Unmap()
	if !ip.IsValid() || ip.IsUnspecified() {
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.AddrPortFrom(ip, uint16(a.Port)) // a port
}

func (l *listeners) close() (err error) {
	for _, c := range l.udp {
		err = errors.Join(err, c.Close())
	}
	for _, c := range l.tcp {
		err = errors.Join(err, c.Close())
	}
	return err
}
