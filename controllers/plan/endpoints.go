package plan

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// maxSTUN is how many STUN servers are handed out: browsers say that five or more slow them down.
const maxSTUN = 4

// chooseEndpoints says by which addresses viewers reach the stream. What is not known, such as a node port
// before it is allocated, is empty.
func (p *planner) chooseEndpoints() v1.EndpointsStatus {
	e := v1.EndpointsStatus{}
	if p.facts.STUNReady {
		e.STUN = p.stunURLs(p.priorSTUN(), func(n Node) bool { return n.STUN })
	}
	if host := p.trackerHost(); host != "" {
		ws, http := "ws://", "http://"
		if p.tls() {
			ws, http = "wss://", "https://"
		}
		e.Announce = ws + host + "/announce"
		e.Config = http + host + "/v1/config"
		e.Player = http + host + "/player"
	}
	return e
}

// trackerHost is host:port of the tracker as viewers reach it.
func (p *planner) trackerHost() string {
	e := p.spec.Tracker.Exposure
	if !p.trackerExposed() {
		return p.serviceHost(TrackerName(p.stream.Name), PortTracker)
	}
	port := p.nodePort(TrackerName(p.stream.Name), e.NodePort)
	if port == 0 {
		return ""
	}
	if e.Host != "" {
		return hostPort(string(e.Host), port)
	}
	local := trafficPolicy(e) == v1.TrafficPolicyLocal
	candidates := p.candidates(e.Addresses, func(n Node) bool { return !local || n.Tracker })
	if len(candidates) == 0 {
		return ""
	}
	if prior := p.priorTracker(); slices.Contains(candidates, prior) {
		return hostPort(prior, port)
	}
	return hostPort(candidates[0], port)
}

// externalURL is the tracker's URL where the spec names its host; elsewhere each request tells.
func (p *planner) externalURL() string {
	if !p.trackerExposed() || p.spec.Tracker.Exposure.Host == "" {
		return ""
	}
	return strings.TrimSuffix(p.endpoints.Config, "/v1/config")
}

// stunFile are the STUN servers that the tracker may hand out: those that are on their way too, for it takes
// a pod a minute to see that a file has changed, and the tracker asks each whether it answers.
func (p *planner) stunFile() []string {
	return p.stunURLs(p.endpoints.STUN, func(n Node) bool { return n.STUN || n.STUNStarting })
}

// stunURLs are the STUN servers that viewers can reach, the prior ones first. One that does not answer
// delays every announce of a browser by seconds, so none is named by guess.
func (p *planner) stunURLs(prior []string, answers func(Node) bool) []string {
	name, e := STUNName(p.stream.Name), p.spec.STUN.Exposure
	switch {
	case !*p.spec.STUN.Enabled:
		return nil
	case !p.stunExposed() && p.trackerExposed():
		return nil
	case !p.stunExposed():
		return []string{"stun:" + p.serviceHost(name, PortSTUN)}
	}
	port := p.nodePort(name, e.NodePort)
	if port == 0 {
		return nil
	}
	if e.Host != "" {
		return []string{"stun:" + hostPort(string(e.Host), port)}
	}
	var urls []string
	for _, address := range p.candidates(e.Addresses, answers) {
		urls = append(urls, "stun:"+hostPort(address, port))
	}
	return firstOf(prior, urls, maxSTUN)
}

// candidates are the addresses that may be told to viewers: those that the spec names, but for the nodes
// among them that do not answer, or else the first address of each node that does.
func (p *planner) candidates(named []v1.IPAddress, answers func(Node) bool) []string {
	nodes := slices.SortedFunc(slices.Values(p.facts.Nodes), func(a, b Node) int { return cmp.Compare(a.Name, b.Name) })
	var addresses []string
	if len(named) > 0 {
		for _, a := range named {
			address := canonical(string(a))
			owner := slices.IndexFunc(nodes, func(n Node) bool { return slices.ContainsFunc(n.Addresses, same(address)) })
			if owner < 0 || answers(nodes[owner]) {
				addresses = append(addresses, address)
			}
		}
		return addresses
	}
	for _, n := range nodes {
		if answers(n) && len(n.Addresses) > 0 {
			addresses = append(addresses, canonical(n.Addresses[0]))
		}
	}
	return addresses
}

// priorTracker is the host by which the tracker was known before.
func (p *planner) priorTracker() string {
	if p.facts.Endpoints == nil {
		return ""
	}
	u, err := url.Parse(p.facts.Endpoints.Announce)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (p *planner) priorSTUN() []string {
	if p.facts.Endpoints == nil {
		return nil
	}
	return p.facts.Endpoints.STUN
}

// firstOf takes at most so many of the valid ones, those that were there before first and in their order.
func firstOf(prior, valid []string, most int) []string {
	var chosen []string
	for _, s := range slices.Concat(prior, valid) {
		if len(chosen) < most && slices.Contains(valid, s) && !slices.Contains(chosen, s) {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// nodePort of a Service: what the spec asks for, else what the cluster gave; 0 when it has not yet.
func (p *planner) nodePort(service string, asked *v1.NodePort) int32 {
	if asked != nil {
		return int32(*asked)
	}
	return p.facts.NodePorts[service]
}

// serviceHost is host:port of a Service inside the cluster, whatever the cluster's domain.
func (p *planner) serviceHost(service string, port int32) string {
	return hostPort(service+"."+p.stream.Namespace+".svc", port)
}

func hostPort(host string, port int32) string {
	return net.JoinHostPort(host, strconv.FormatInt(int64(port), 10))
}

// canonical is the one spelling of an IP address that has several.
func canonical(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	return ip.String()
}

func same(address string) func(string) bool {
	return func(other string) bool { return canonical(other) == address }
}
