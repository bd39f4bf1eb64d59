package mesh

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/pion/ice/v4"
)

// socketBuffer is asked of the kernel for the sockets that all connections of a seeder share; a burst to
// 64 viewers does not fit the usual 208 KiB. The kernel may give less.
const socketBuffer = 4 << 20

// newMux listens on one port of every planned address. One socket per address: a socket on the
// unspecified address could not say which address a packet came to.
func newMux(listen string, addrs []netip.Addr, logs pionLogs, m *metrics) (ice.UDPMux, error) {
	at, err := net.ResolveUDPAddr("udp", listen)
	if err != nil {
		return nil, fmt.Errorf("resolving %q: %w", listen, err)
	}
	if only, ok := netip.AddrFromSlice(at.IP); ok && !only.IsUnspecified() {
		addrs = []netip.Addr{only.Unmap()}
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("listening on %q: this machine has no usable address", listen)
	}
	sockets, err := listenAll(addrs, at.Port, m)
	if err != nil {
		return nil, err
	}
	muxes := make([]ice.UDPMux, len(sockets))
	for i, s := range sockets {
		muxes[i] = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: s, Logger: logs.NewLogger("mux")})
	}
	return ice.NewMultiUDPMuxDefault(muxes...), nil
}

// listenAll binds the same port on all addresses. With port 0 the first address picks one, and another is
// tried if that is taken elsewhere.
func listenAll(addrs []netip.Addr, port int, m *metrics) ([]*batchSocket, error) {
	attempts := 1
	if port == 0 {
		attempts = 10
	}
	var errs error
	for range attempts {
		sockets, err := listenOn(addrs, port, m)
		if err == nil {
			return sockets, nil
		}
		errs = errors.Join(errs, err)
	}
	return nil, errs
}

func listenOn(addrs []netip.Addr, port int, m *metrics) ([]*batchSocket, error) {
	var sockets []*batchSocket
	for _, a := range addrs {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, uint16(port))))
		if err != nil {
			for _, s := range slices.Backward(sockets) {
				_ = s.Close() // the listening error is the one to report
			}
			return nil, fmt.Errorf("listening for peers: %w", err)
		}
		if local, ok := conn.LocalAddr().(*net.UDPAddr); ok {
			port = local.Port
		}
		_ = conn.SetReadBuffer(socketBuffer)  // what the kernel gives is what there is
		_ = conn.SetWriteBuffer(socketBuffer) // likewise
		sockets = append(sockets, newBatchSocket(conn, m))
	}
	return sockets, nil
}
