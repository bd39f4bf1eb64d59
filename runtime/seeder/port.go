package seeder

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/runtime/seeder/config"
)

// A seeder whose port is not listed yet reads the list this often, and gives up
// after this long.
const (
	portInterval = time.Second
	portTimeout  = 2 * time.Minute
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

// awaitPort waits until the seeder's port is listed, and logs that once. When ctx
// ends, it returns its error.
func awaitPort(ctx context.Context, cfg config.Config, log *slog.Logger) (int, error) {
	giveUp := time.NewTimer(portTimeout)
	defer giveUp.Stop()
	look := time.NewTicker(portInterval)
	defer look.Stop()
	for waiting := false; ; waiting = true {
		port, err := readPort(cfg.ICEPortsFile, cfg.Ordinal)
		if err == nil {
			return port, nil
		}
		if !waiting {
			log.Info("waiting for the UDP port", "ordinal", cfg.Ordinal, "reason", err)
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-giveUp.C:
			return 0, fmt.Errorf("waiting for config.icePortsFile for %v: %w", portTimeout, err)
		case <-look.C:
		}
	}
}

// portMoved returns when another port is listed than the one in use, or when ctx
// ends; moved tells which. It ignores a list that it cannot read.
func portMoved(ctx context.Context, cfg config.Config, inUse int) (to int, moved bool) {
	look := time.NewTicker(portInterval)
	defer look.Stop()
	for {
		if port, err := readPort(cfg.ICEPortsFile, cfg.Ordinal); err == nil && port != inUse {
			return port, true
		}
		select {
		case <-ctx.Done():
			return 0, false
		case <-look.C:
		}
	}
}

// withPort replaces the port of a host:port.
func withPort(hostport string, port int) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = "" // Validate has checked it
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
