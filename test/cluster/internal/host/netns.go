package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// routerSettings make a namespace forward packets. What the machine has as its default for reverse
// path filtering is inherited and would drop the answers of pods.
var routerSettings = map[string]string{
	"/proc/sys/net/ipv4/ip_forward":                  "1",
	"/proc/sys/net/ipv4/conf/all/rp_filter":          "0",
	"/proc/sys/net/ipv4/conf/default/rp_filter":      "0",
	"/proc/sys/net/ipv4/conf/all/send_redirects":     "0",
	"/proc/sys/net/ipv4/conf/default/send_redirects": "0",
	"/proc/sys/net/ipv6/conf/default/disable_ipv6":   "1",
}

// AddNetns makes a named network namespace that forwards.
func AddNetns(ctx context.Context, name string) error {
	if _, err := Run(ctx, "", "", "ip", "netns", "add", name); err != nil {
		return err
	}
	return InNetns(name, func() error {
		for path, value := range routerSettings {
			if err := os.WriteFile(path, []byte(value), 0o644); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("writing kernel setting: %w", err)
			}
		}
		return nil
	})
}

// IPBatch gives lines to `ip -batch` inside a network namespace.
func IPBatch(ctx context.Context, netns string, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	_, err := Run(ctx, netns, strings.Join(lines, "\n")+"\n", "ip", "-batch", "-")
	return err
}

// Netnses lists named network namespaces whose names begin with prefix.
func Netnses(prefix string) ([]string, error) {
	entries, err := os.ReadDir(NetnsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing network namespaces: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), prefix) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// DeleteNetns removes a name; the namespace itself ends with the last process inside.
func DeleteNetns(ctx context.Context, name string) error {
	_, err := Run(ctx, "", "", "ip", "netns", "delete", name)
	if err != nil {
		// A name whose mount is gone (a reboot, a crash half way) is a plain file.
		if rmErr := os.Remove(filepath.Join(NetnsDir, name)); rmErr == nil || errors.Is(rmErr, fs.ErrNotExist) {
			return nil
		}
	}
	return err
}

// FoundNetnsDir is what NetnsDir was before anything was made there, for RestoreNetnsDir.
type FoundNetnsDir struct {
	Existed bool `json:"existed"`
	Mounted bool `json:"mounted"`
}

// FindNetnsDir looks at NetnsDir. The first `ip netns add` on a machine makes it and mounts it on itself.
func FindNetnsDir() (FoundNetnsDir, error) {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return FoundNetnsDir{}, fmt.Errorf("listing mounts: %w", err)
	}
	_, err = os.Stat(NetnsDir)
	return FoundNetnsDir{Existed: err == nil, Mounted: slices.Contains(mountsBelow(string(info), NetnsDir), NetnsDir)}, nil
}

// RestoreNetnsDir undoes what `ip netns add` did to NetnsDir, unless there are namespaces in it now.
func RestoreNetnsDir(found FoundNetnsDir) error {
	names, err := Netnses("")
	if err != nil || len(names) > 0 || found.Mounted {
		return err
	}
	// Not detached by force: a namespace that appears this moment keeps the mount, and rightly so.
	if err := unix.Unmount(NetnsDir, 0); err != nil {
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EBUSY) || errors.Is(err, unix.ENOENT) {
			return nil
		}
		return fmt.Errorf("unmounting %s: %w", NetnsDir, err)
	}
	if !found.Existed {
		_ = os.Remove(NetnsDir) // fails if it is in use by then
	}
	return nil
}

// NetnsInode identifies the namespace behind a name, the way /proc/PID/ns/net does.
func NetnsInode(name string) (uint64, error) { return inode(filepath.Join(NetnsDir, name)) }

// UsedPrefixes lists what the machine routes to in any table, its own addresses included.
func UsedPrefixes(ctx context.Context) ([]netip.Prefix, error) {
	out, err := Run(ctx, "", "", "ip", "-json", "-4", "route", "show", "table", "all")
	if err != nil {
		return nil, err
	}
	return parseRoutes(out)
}

func parseRoutes(out string) ([]netip.Prefix, error) {
	var routes []struct {
		Dst string `json:"dst"`
	}
	if strings.TrimSpace(out) == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(out), &routes); err != nil {
		return nil, fmt.Errorf("reading routes: %w", err)
	}
	var used []netip.Prefix
	for _, r := range routes {
		if prefix, err := netip.ParsePrefix(r.Dst); err == nil {
			used = append(used, prefix)
		} else if addr, err := netip.ParseAddr(r.Dst); err == nil {
			used = append(used, netip.PrefixFrom(addr, addr.BitLen()))
		}
	}
	return used, nil
}

// Traffic counts the bytes of an interface.
type Traffic struct {
	Received    uint64
	Transmitted uint64
}

// Counters reads the traffic of every interface in a network namespace.
func Counters(ctx context.Context, netns string) (map[string]Traffic, error) {
	out, err := Run(ctx, netns, "", "ip", "-json", "-stats", "link", "show")
	if err != nil {
		return nil, err
	}
	return parseCounters(out)
}

func parseCounters(out string) (map[string]Traffic, error) {
	var links []struct {
		Name  string `json:"ifname"`
		Stats struct {
			RX struct {
				Bytes uint64 `json:"bytes"`
			} `json:"rx"`
			TX struct {
				Bytes uint64 `json:"bytes"`
			} `json:"tx"`
		} `json:"stats64"`
	}
	if err := json.Unmarshal([]byte(out), &links); err != nil {
		return nil, fmt.Errorf("reading interface counters: %w", err)
	}
	counters := make(map[string]Traffic, len(links))
	for _, link := range links {
		counters[link.Name] = Traffic{Received: link.Stats.RX.Bytes, Transmitted: link.Stats.TX.Bytes}
	}
	return counters, nil
}

// NetnsInodeOfSelf identifies the namespace that this program is in.
func NetnsInodeOfSelf() (uint64, error) { return inode("/proc/self/ns/net") }
