package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// offices are the two places that viewers play in.
var offices = []string{"office-a", "office-b"}

// Namespaces that the demo makes. The operator's own is named by config/default.
const demoNamespace = "p2pstream-demo"

func officeNamespace(office string) string { return demoNamespace + "-" + office }

// place is where a demo runs: a cluster of its own, or one that is there.
type place interface {
	// headline says what will be done, in a few words.
	headline() string
	// begin removes what a killed run left and makes sure that there is a cluster that can run the image.
	begin(ctx context.Context, left *entry) error
	// kubectl is how the cluster is talked to: the program and its first arguments.
	kubectl() []string
	// image is the one that pods run.
	image() string
	// namespace is where a stream goes that comes from the sample; empty: where the sample says.
	namespace() string
	// startViewers starts viewers in an office.
	startViewers(ctx context.Context, office, configURL string, viewers int, a *activity) error
	// playing counts the viewers of an office that run, and tells what ended by itself.
	playing(ctx context.Context) (map[string]int, []string, error)
	// wan reads the counters of the offices' uplinks; nil where there are none.
	wan(ctx context.Context) (map[string]counters, error)
	// hint is a command to look further with.
	hint() string
	// remove removes what this run made.
	remove(ctx context.Context) error
}

// share splits viewers between the offices; the first ones get the rest.
func share(viewers int) []int {
	n := make([]int, len(offices))
	for i := range n {
		n[i] = viewers / len(n)
		if i < viewers%len(n) {
			n[i]++
		}
	}
	return n
}

// nodeList and service are the few fields of objects that the demo reads.
type nodeList struct {
	Items []struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Spec struct {
			Unschedulable bool `json:"unschedulable"`
		} `json:"spec"`
		Status struct {
			Addresses []struct {
				Type    string `json:"type"`
				Address string `json:"address"`
			} `json:"addresses"`
			Conditions []struct {
				Type   string `json:"type"`
				Status string `json:"status"`
			} `json:"conditions"`
			Images []struct {
				Names []string `json:"names"`
			} `json:"images"`
		} `json:"status"`
	} `json:"items"`
}

type service struct {
	Spec struct {
		Ports []struct {
			NodePort int `json:"nodePort"`
		} `json:"ports"`
	} `json:"spec"`
}

// nodeAddress is an address that pods, and whoever shares a network with the nodes, can reach: the
// internal one of the first node that is ready.
func nodeAddress(raw []byte) (string, error) {
	var nodes nodeList
	if err := json.Unmarshal(raw, &nodes); err != nil {
		return "", fmt.Errorf("reading the list of nodes: %w", err)
	}
	for _, n := range nodes.Items {
		ready := false
		for _, c := range n.Status.Conditions {
			ready = ready || c.Type == "Ready" && c.Status == "True"
		}
		for _, a := range n.Status.Addresses {
			if ready && a.Type == "InternalIP" {
				return a.Address, nil
			}
		}
	}
	return "", errors.New("no node is ready and has an InternalIP")
}

func hostPort(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// nodePort is the port that a Service was given on every node.
func nodePort(raw []byte) (int, error) {
	var s service
	if err := json.Unmarshal(raw, &s); err != nil {
		return 0, fmt.Errorf("reading the service: %w", err)
	}
	if len(s.Spec.Ports) == 0 || s.Spec.Ports[0].NodePort == 0 {
		return 0, errors.New("the service has no node port")
	}
	return s.Spec.Ports[0].NodePort, nil
}
