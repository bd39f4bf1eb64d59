package seeder

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/seeder/config"
)

// A seeder whose place is not listed yet reads the lists this often, and gives up
// after this long.
const (
	placeInterval = time.Second
	placeTimeout  = 2 * time.Minute
)

// place is where peers reach a seeder: its UDP port, 0 for that of Config.ICEListen, and its addresses.
type place struct {
	port      int
	addresses []string
}

// listed tells whether a seeder's place is in files.
func listed(cfg config.Config) bool { return cfg.ICEPortsFile != "" || cfg.AdvertiseFile != "" }

// findPlace reads where the seeder is reached.
func findPlace(ctx context.Context, cfg config.Config, find lookup) (p place, err error) {
	if cfg.ICEPortsFile != "" {
		if p.port, err = readPort(cfg.ICEPortsFile, cfg.Ordinal); err != nil {
			return p, err
		}
	}
	p.addresses, err = advertised(ctx, cfg, find)
	return p, err
}

// awaitPlace waits until the seeder's place is listed, and logs that once. When ctx ends, it returns its error.
func awaitPlace(ctx context.Context, cfg config.Config, find lookup, log *slog.Logger) (place, error) {
	giveUp := time.NewTimer(placeTimeout)
	defer giveUp.Stop()
	look := time.NewTicker(placeInterval)
	defer look.Stop()
	for waiting := false; ; waiting = true {
		p, err := findPlace(ctx, cfg, find)
		if err == nil {
			return p, nil
		}
		if !waiting {
			log.Info("waiting for the UDP port and the addresses to advertise", "ordinal", cfg.Ordinal, "reason", err)
		}
		select {
		case <-ctx.Done():
			return place{}, ctx.Err()
		case <-giveUp.C:
			return place{}, fmt.Errorf("waiting for config.icePortsFile and config.advertiseFile for %v: %w", placeTimeout, err)
		case <-look.C:
		}
	}
}

// placeMoved returns when another place is listed than the one in use, or when ctx ends; moved tells which. It ignores
// lists that it cannot read.
func placeMoved(ctx context.Context, cfg config.Config, find lookup, inUse place) (to place, moved bool) {
	look := time.NewTicker(placeInterval)
	defer look.Stop()
	var lookedUp time.Time
	for {
		names := cfg.AdvertiseFile != "" && named(cfg)
		if !names || time.Since(lookedUp) >= lookupInterval {
			lookedUp = time.Now()
			if p, err := findPlace(ctx, cfg, find); err == nil && p.differs(inUse, names) {
				return p, true
			}
		}
		select {
		case <-ctx.Done():
			return place{}, false
		case <-look.C:
		}
	}
}

// differs tells whether peers can no longer reach the seeder as they did. Where addresses come from names, those that are not
// among the last answers may still be right, as long as one of them is.
func (p place) differs(inUse place, names bool) bool {
	if p.port != inUse.port {
		return true
	}
	if !names {
		return !slices.Equal(p.addresses, inUse.addresses)
	}
	return !slices.ContainsFunc(inUse.addresses, func(a string) bool { return slices.Contains(p.addresses, a) })
}
