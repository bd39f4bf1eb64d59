package main

import (
	"encoding/json"
	"fmt"
	"strconv"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// siteFigures is what status says of an office: media bytes over the last minute, as viewers report them.
type siteFigures struct {
	viewers int32
	copies  string // such as 1.04; empty: not known
	line    float64
}

// placeOffices makes each office a site of the network, or of a stream without one. Sites need the viewers' own addresses, so the
// tracker answers on the node that it runs on.
func (s *scene) placeOffices(ranges map[string]string) {
	if len(ranges) == 0 {
		return
	}
	of, spec, tracker := "", &s.streams[0].Spec.Sites, s.streams[0].Spec.Tracker
	if s.network != nil {
		of, spec, tracker = s.network.Name+" ", &s.network.Spec.Sites, s.network.Spec.Tracker
	}
	sites := &v1.SitesSpec{}
	for _, office := range offices {
		if cidr, ok := ranges[office]; ok {
			sites.List = append(sites.List, v1.SiteSpec{Name: v1.SiteName(office), CIDRs: []v1.SiteRange{v1.SiteRange(cidr)}})
		}
	}
	s.changes = append(s.changes, change{of + "spec.sites", compact(*spec), compact(sites)})
	*spec = sites
	if e := tracker.Exposure; e.ExternalTrafficPolicy != v1.TrafficPolicyLocal {
		s.changes = append(s.changes, change{of + "spec.tracker.exposure.externalTrafficPolicy", compact(e.ExternalTrafficPolicy), compact(v1.TrafficPolicyLocal)})
		e.ExternalTrafficPolicy = v1.TrafficPolicyLocal
	}
}

// officeRanges reads the addresses of offices from the output of `cluster offices`.
func officeRanges(raw []byte) (map[string]string, error) {
	var infos []struct {
		Name string `json:"name"`
		CIDR string `json:"cidr"`
	}
	if err := json.Unmarshal(raw, &infos); err != nil {
		return nil, fmt.Errorf("reading the offices' addresses: %w", err)
	}
	all := map[string]string{}
	for _, i := range infos {
		all[i.Name] = i.CIDR
	}
	return all, nil
}

// figuresOf returns the figures of an office; nil: status has none.
func figuresOf(sites []v1.SiteStatus, office string) *siteFigures {
	for _, s := range sites {
		if s.Name == office {
			return &siteFigures{viewers: s.Viewers, copies: s.Copies, line: float64(s.LineBitsPerSecond)}
		}
	}
	return nil
}

// number returns the copies; ok is false if they are not known.
func (f *siteFigures) number() (copies float64, ok bool) {
	if f == nil {
		return 0, false
	}
	copies, err := strconv.ParseFloat(f.copies, 64)
	return copies, err == nil
}

// words say what the copies mean.
func (f *siteFigures) words() string {
	copies, ok := f.number()
	switch {
	case !ok:
		return "how many copies its line carries is not known yet"
	case copies < 0.8:
		return fmt.Sprintf("its line carries less than one copy of what is played there (%s)", f.copies)
	case copies <= 1.2:
		return "its line carries about one copy of what is played there"
	}
	return fmt.Sprintf("its line carries %.1f copies of what is played there", copies)
}
