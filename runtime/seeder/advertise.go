package seeder

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/seeder/config"
)

// Bounds of the list of addresses to advertise.
const (
	maxAdvertiseFile = 1 << 20 // bytes
	maxAdvertised    = 8       // addresses of one seeder
)

// Names among the addresses are looked up again this often, and within this time.
const (
	lookupInterval = 30 * time.Second
	lookupTimeout  = 5 * time.Second
)

// lookup finds the addresses of a host name.
type lookup func(ctx context.Context, name string) ([]netip.Addr, error)

func systemLookup(ctx context.Context, name string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, fmt.Errorf("looking up %s: %w", name, err)
	}
	return addrs, nil
}

// readAdvertised returns the addresses and host names under a seeder's name in a file; none when the name is not in it.
func readAdvertised(file, name string) ([]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if len(b) > maxAdvertiseFile {
		return nil, fmt.Errorf("%s: more than %d bytes", file, maxAdvertiseFile)
	}
	var all map[string][]string
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf(`%s is not a JSON object with lists of addresses: %w; use {"seeder-0": ["192.0.2.10"]}`, file, err)
	}
	hosts := all[name]
	if len(hosts) > maxAdvertised {
		return nil, fmt.Errorf("%s lists %d addresses for %s, which is more than %d", file, len(hosts), name, maxAdvertised)
	}
	return hosts, nil
}

// advertised returns the addresses that a seeder tells its peers, sorted: those of the file or else those of the configuration,
// names looked up. Addresses of a family that this machine does not have are left out: nothing would arrive at them.
func advertised(ctx context.Context, cfg config.Config, find lookup) ([]string, error) {
	if cfg.AdvertiseFile == "" {
		return cfg.Advertise, nil
	}
	hosts, err := readAdvertised(cfg.AdvertiseFile, cfg.AdvertiseName)
	if err != nil {
		return nil, err
	}
	if len(hosts) == 0 {
		hosts = cfg.Advertise
	}
	if len(hosts) == 0 {
		return nil, fmt.Errorf("%s lists no address for %s", cfg.AdvertiseFile, cfg.AdvertiseName)
	}
	var found []netip.Addr
	for _, host := range hosts {
		if ip, err := netip.ParseAddr(host); err == nil {
			found = append(found, ip.Unmap())
			continue
		}
		addrs, err := find(ctx, host)
		if err != nil {
			return nil, err
		}
		for _, a := range addrs {
			found = append(found, a.Unmap())
		}
	}
	slices.SortFunc(found, netip.Addr.Compare)
	found = slices.DeleteFunc(slices.Compact(found), func(a netip.Addr) bool { return a.Zone() != "" || a.IsUnspecified() })
	usable := mesh.OfOwnFamilies(found)
	if len(usable) == 0 {
		return nil, fmt.Errorf("none of the addresses %v in %s for %s is of a family that this machine has", found, cfg.AdvertiseFile, cfg.AdvertiseName)
	}
	var texts []string
	for _, a := range usable[:min(len(usable), maxAdvertised)] {
		texts = append(texts, a.String())
	}
	return texts, nil
}

// named tells whether a host name is among what is advertised. Servers of names may answer with some of many addresses, with
// others each time.
func named(cfg config.Config) bool {
	hosts, err := readAdvertised(cfg.AdvertiseFile, cfg.AdvertiseName)
	return err == nil && slices.ContainsFunc(hosts, func(h string) bool { _, err := netip.ParseAddr(h); return err != nil })
}
