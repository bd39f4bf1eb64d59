package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// Traffic counts what a rule of the router's firewall has seen. Packets that the kernel carries as one count once, with
// one header.
type Traffic struct {
	Packets, Bytes int64 // bytes from the IP header on
}

// Since returns what came after an earlier count.
func (t Traffic) Since(before Traffic) Traffic {
	return Traffic{t.Packets - before.Packets, t.Bytes - before.Bytes}
}

// Line is what an office's line carried since Meter.
type Line struct {
	UDP, TCP Traffic // down the line, into the office
	UDPOut   Traffic // up the line
	Offices  Traffic // from this office to other offices, of any protocol; a part of what these get down their lines
	Down, Up int64   // bytes by the counters of the interface, Ethernet headers included; after the line's queue
}

// Since returns what came after an earlier count.
func (l Line) Since(before Line) Line {
	return Line{l.UDP.Since(before.UDP), l.TCP.Since(before.TCP), l.UDPOut.Since(before.UDPOut), l.Offices.Since(before.Offices),
		l.Down - before.Down, l.Up - before.Up}
}

// The counters of an office, behind its name.
const (
	countUDP     = "_udp"
	countTCP     = "_tcp"
	countUDPOut  = "_udp_out"
	countOffices = "_offices"
)

// Meter begins to count, from zero, what the lines of offices carry.
func (c *Cluster) Meter(ctx context.Context, offices ...*Office) error {
	var counters, forward, out strings.Builder
	for _, o := range offices {
		line := "o-" + o.Name
		for _, count := range []string{countUDP, countTCP, countUDPOut, countOffices} {
			_, _ = fmt.Fprintf(&counters, "\tcounter %s { }\n", counter(o.Name, count))
		}
		_, _ = fmt.Fprintf(&forward, "\t\tiifname %q oifname \"o-*\" counter name %q\n", line, counter(o.Name, countOffices))
		_, _ = fmt.Fprintf(&forward, "\t\tiifname %q meta l4proto udp counter name %q\n", line, counter(o.Name, countUDPOut))
		_, _ = fmt.Fprintf(&out, "\t\toifname %q meta l4proto udp counter name %q\n", line, counter(o.Name, countUDP))
		_, _ = fmt.Fprintf(&out, "\t\toifname %q meta l4proto tcp counter name %q\n", line, counter(o.Name, countTCP))
	}
	// The origin's packets begin in the router, and are not forwarded.
	rules := fmt.Sprintf(`table inet lines
delete table inet lines
table inet lines {
%s	chain forward {
		type filter hook forward priority -300; policy accept;
%s	}
	chain out {
		type filter hook postrouting priority 300; policy accept;
%s	}
}
`, counters.String(), forward.String(), out.String())
	_, err := c.firewall(ctx, rules, "-f", "-")
	return err
}

// counter is the name of a counter in the firewall.
func counter(office, count string) string { return strings.ReplaceAll(office, "-", "_") + count }

// Lines returns what the lines of the offices that Meter names have carried, by the offices' names.
func (c *Cluster) Lines(ctx context.Context) (map[string]Line, error) {
	text, err := c.run(ctx, "offices", "--json")
	if err != nil {
		return nil, err
	}
	var offices []struct {
		Name string `json:"name"`
		In   int64  `json:"wanBytesIn"`
		Out  int64  `json:"wanBytesOut"`
	}
	if err := json.Unmarshal([]byte(text), &offices); err != nil {
		return nil, fmt.Errorf("reading offices: %w", err)
	}
	text, err = c.firewall(ctx, "", "-j", "list", "counters", "table", "inet", "lines")
	if err != nil {
		return nil, err
	}
	var listed struct {
		All []struct {
			Counter *struct {
				Name    string `json:"name"`
				Packets int64  `json:"packets"`
				Bytes   int64  `json:"bytes"`
			} `json:"counter"`
		} `json:"nftables"`
	}
	if err := json.Unmarshal([]byte(text), &listed); err != nil {
		return nil, fmt.Errorf("reading counters: %w", err)
	}
	counts := map[string]Traffic{}
	for _, one := range listed.All {
		if one.Counter != nil {
			counts[one.Counter.Name] = Traffic{one.Counter.Packets, one.Counter.Bytes}
		}
	}
	lines := map[string]Line{}
	for _, o := range offices {
		if _, metered := counts[counter(o.Name, countUDP)]; !metered {
			continue
		}
		count := func(name string) Traffic { return counts[counter(o.Name, name)] }
		lines[o.Name] = Line{UDP: count(countUDP), TCP: count(countTCP), UDPOut: count(countUDPOut), Offices: count(countOffices), Down: o.In, Up: o.Out}
	}
	return lines, nil
}

// firewall runs nft in the router's network.
func (c *Cluster) firewall(ctx context.Context, input string, args ...string) (string, error) {
	all := append(c.arguments("exec", "wan", "--", "nft"), args...)
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	cmd.Stdin = strings.NewReader(input)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("running nft %s in the router: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}
