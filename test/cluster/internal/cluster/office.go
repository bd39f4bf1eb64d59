package cluster

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

// OfficeInfo is an office as commands print it.
type OfficeInfo struct {
	Name    string `json:"name"`
	Netns   string `json:"netns"`
	CIDR    string `json:"cidr"`
	Address string `json:"address"`
	Gateway string `json:"gateway"`
	Rate    string `json:"rate,omitempty"`
	Latency string `json:"latency,omitempty"`
	DropUDP bool   `json:"dropUDP"`
	// WANBytesIn and WANBytesOut count what came in and went out over the office's WAN line.
	WANBytesIn  uint64 `json:"wanBytesIn"`
	WANBytesOut uint64 `json:"wanBytesOut"`
}

// SetOffice creates an office, or changes the one of that name.
func SetOffice(ctx context.Context, name string, want plan.Office, out io.Writer) (OfficeInfo, error) {
	if err := want.Check(); err != nil {
		return OfficeInfo{}, err
	}
	var info OfficeInfo
	err := change(ctx, name, out, func(s *State) error {
		at := slices.IndexFunc(s.Offices, func(o plan.Office) bool { return o.Name == want.Name })
		if at < 0 {
			var err error
			if at, err = s.addOffice(ctx, want); err != nil {
				return err
			}
		}
		want.Index = s.Offices[at].Index
		s.Offices[at] = want
		if err := s.shape(ctx, want); err != nil {
			return err
		}
		if err := s.save(); err != nil {
			return err
		}
		infos, err := s.officeInfos(ctx)
		if err != nil {
			return err
		}
		info = infos[at]
		return nil
	})
	return info, err
}

func (s *State) addOffice(ctx context.Context, o plan.Office) (int, error) {
	taken := map[int]bool{}
	for _, other := range s.Offices {
		taken[other.Index] = true
	}
	for o.Index = 1; taken[o.Index]; o.Index++ {
	}
	if o.Index > plan.MaxOffices {
		return 0, fmt.Errorf("cluster %s has %d offices already: remove one with `cluster office NAME --remove`", s.Name, plan.MaxOffices)
	}
	if err := host.AddNetns(ctx, s.OfficeNetns(o.Name)); err != nil {
		return 0, err
	}
	for _, batch := range s.OfficeTopology(o) {
		if err := host.IPBatch(ctx, batch.Netns, batch.Lines); err != nil {
			// The state does not name the office yet, so remove what was made of it.
			_ = host.DeleteNetns(context.WithoutCancel(ctx), s.OfficeNetns(o.Name))
			return 0, err
		}
	}
	s.Offices = append(s.Offices, o)
	return len(s.Offices) - 1, s.save()
}

// shape limits both ends of the office's line and sets its UDP rule.
func (s *State) shape(ctx context.Context, o plan.Office) error {
	wan := s.Cluster.Netns(plan.WAN)
	ends := []struct{ netns, device string }{{s.OfficeNetns(o.Name), "eth0"}, {wan, o.Interface()}}
	for _, end := range ends {
		_, err := host.Run(ctx, end.netns, "", "tc", o.Qdisc(end.device)...)
		// Removing the limit of a line without one fails, which is no error.
		if err != nil && o.Rate != 0 {
			return err
		}
	}
	_, err := host.Run(ctx, wan, o.Filter(), "nft", "-f", "-")
	return err
}

// RemoveOffice removes an office and ends the programs inside.
func RemoveOffice(ctx context.Context, name, office string, out io.Writer) error {
	return change(ctx, name, out, func(s *State) error {
		at := slices.IndexFunc(s.Offices, func(o plan.Office) bool { return o.Name == office })
		if at < 0 {
			return nil
		}
		o := s.Offices[at]
		o.DropUDP = false
		wan := s.Cluster.Netns(plan.WAN)
		if err := endPrograms(ctx, []string{s.OfficeNetns(office)}, s.NetnsPrefix(), out); err != nil {
			return err
		}
		if _, err := host.Run(ctx, wan, o.Filter(), "nft", "-f", "-"); err != nil {
			return err
		}
		if _, err := host.Run(ctx, wan, "", "ip", "link", "delete", o.Interface()); err != nil {
			return err
		}
		if err := host.DeleteNetns(ctx, s.OfficeNetns(office)); err != nil {
			return err
		}
		s.Offices = slices.Delete(s.Offices, at, at+1)
		return s.save()
	})
}

// Offices lists the offices of a cluster with the bytes that their WAN lines carried.
func Offices(ctx context.Context, name string) ([]OfficeInfo, error) {
	s, err := Load(name)
	if err != nil {
		return nil, err
	}
	return s.officeInfos(ctx)
}

func (s *State) officeInfos(ctx context.Context) ([]OfficeInfo, error) {
	counters, err := host.Counters(ctx, s.Cluster.Netns(plan.WAN))
	if err != nil {
		return nil, err
	}
	infos := make([]OfficeInfo, 0, len(s.Offices))
	for _, o := range s.Offices {
		traffic := counters[o.Interface()] // the router's end: what it transmits comes in to the office
		info := OfficeInfo{
			Name:        o.Name,
			Netns:       s.OfficeNetns(o.Name),
			CIDR:        s.OfficeCIDR(o.Index),
			Address:     s.OfficeIP(o.Index),
			Gateway:     s.OfficeGateway(o.Index),
			Rate:        plan.FormatRate(o.Rate),
			DropUDP:     o.DropUDP,
			WANBytesIn:  traffic.Transmitted,
			WANBytesOut: traffic.Received,
		}
		if o.Rate != 0 {
			info.Latency = o.Latency.String()
		}
		infos = append(infos, info)
	}
	return infos, nil
}
