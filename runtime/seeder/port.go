package seeder

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
)

// maxPortsFile bounds the list of ports, in bytes.
const maxPortsFile = 1 << 20

// readPort returns the port at a place in a file's list. A list that is too
// short, and a zero in it, say that the port is not known yet.
func readPort(file string, ordinal int) (int, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	if len(b) > maxPortsFile {
		return 0, fmt.Errorf("%s: more than %d bytes", file, maxPortsFile)
	}
	var ports []int
	if err := json.Unmarshal(b, &ports); err != nil {
		return 0, fmt.Errorf("%s is not a JSON list of ports: %w; use [30001, 30002]", file, err)
	}
	if ordinal >= len(ports) || ports[ordinal] == 0 {
		return 0, fmt.Errorf("%s lists no port for ordinal %d", file, ordinal)
	}
	if p := ports[ordinal]; p < 0 || p > 65535 {
		return 0, fmt.Errorf("%s lists %d for ordinal %d, which is not a port", file, p, ordinal)
	}
	return ports[ordinal], nil
}

// withPort replaces the port of a host:port.
func withPort(hostport string, port int) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = "" // Validate has checked it
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
