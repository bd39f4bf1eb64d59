package plan

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// maxSTUN is the largest number of STUN servers that viewers are given. Browsers warn that five or more slow down
// discovery.
const maxSTUN = 4

// chooseEndpoints returns the URLs by which viewers reach the stream. What is not known, such as a node port
// before it is assigned, is empty.
func (p *planner) chooseEndpoints() v1.EndpointsStatus {
	if p.facts.Network != nil {
		return p.attachedEndpoints()
	}
	e := v1.EndpointsStatus{}
	e.STUN = p.stunURLs(p.priorSTUN(), false)
	tracker := p.trackerTarget()
	address, known := exposure.Choose(tracker.Strategy().Addresses(tracker, p.reach), p.priorTracker())
	if known {
		e.Announce = address.WebSocket("/announce")
		e.Config = address.HTTP("/v1/config")
		e.Player = address.HTTP("/player")
		if p.network != nil {
			e.Config, e.Player = address.HTTP(""), "" // pages are those of streams
		}
	}
	return e
}

// externalURL is the tracker's URL where the spec names its host. Elsewhere the tracker takes the host from each
// request.
func (p *planner) externalURL() string {
	if p.trackerTarget().Settings.Host == "" {
		return ""
	}
	return strings.TrimSuffix(p.endpoints.Config, "/v1/config")
}

// stunFile are the STUN servers that the tracker may hand out. It includes those that are starting: a pod sees
// a changed file only after up to a minute, and the tracker asks each server whether it answers.
func (p *planner) stunFile() []string {
	return p.stunURLs(p.endpoints.STUN, true)
}

// stunURLs are the STUN servers that viewers can reach: those that the spec names, and the stream's own, of these the prior ones
// first. One that does not answer delays each announce of a browser by seconds, so none is handed out on a guess.
func (p *planner) stunURLs(prior []string, starting bool) []string {
	var named, own []string
	for _, server := range p.spec.STUN.Servers {
		named = append(named, string(server))
	}
	if *p.spec.STUN.Enabled && (starting || p.facts.STUNReady) {
		stun := p.stunTarget()
		for _, a := range stun.Strategy().Addresses(stun, p.reach) {
			if url := "stun:" + a.HostPort(); (starting || !a.Starting) && !slices.Contains(named, url) {
				own = append(own, url)
			}
		}
	}
	return append(named, firstOf(prior, own, maxSTUN-len(named))...)
}

// priorTracker is the host in the tracker's URL of the plan before, or empty.
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

// firstOf returns at most so many of the valid ones: first those that are among the prior ones, in their order.
func firstOf(prior, valid []string, most int) []string {
	var chosen []string
	for _, s := range slices.Concat(prior, valid) {
		if len(chosen) < most && slices.Contains(valid, s) && !slices.Contains(chosen, s) {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// serviceHost is host:port of a Service inside the cluster. It resolves with any cluster domain.
func (p *planner) serviceHost(service string, port int32) string {
	return hostOf(service, p.stream.Namespace, port)
}

func hostOf(service, namespace string, port int32) string {
	return net.JoinHostPort(service+"."+namespace+".svc", strconv.FormatInt(int64(port), 10))
}
