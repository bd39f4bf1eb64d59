package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// offices are the sites in which viewers play.
var offices = []string{"office-a", "office-b"}

// demoNamespace is the demo's own; config/default names that of the operator.
const demoNamespace = "p2pstream-demo"

func officeNamespace(office string) string { return demoNamespace + "-" + office }

// place is where a demo runs: a cluster of its own, or an existing one.
type place interface {
	// headline describes the place in a few words.
	headline() string
	// opening is what to know beforehand, as pairs of a term and a text: how long it takes, what stays.
	opening() []string
	// steps is the number of steps until the table is shown.
	steps() int
	// begin removes what a killed run left and returns once there is a cluster that can run the image.
	begin(ctx context.Context, left *entry) error
	// kubectl is the program and the arguments that select the cluster.
	kubectl() []string
	// image is the image that pods run.
	image() string
	// namespace is the one for network and streams; empty: those that the manifest names.
	namespace() string
	// startViewers starts the viewers of an office.
	startViewers(ctx context.Context, office string, of []audience, a *activity) error
	// playing counts running viewers by office, and describes those that ended by themselves.
	playing(ctx context.Context) (map[string]int, []string, error)
	// ranges are the addresses of the offices; nil: the offices cannot be told by addresses.
	ranges(ctx context.Context) (map[string]string, error)
	// wan reads the byte counters of the offices' uplinks; nil: there are none.
	wan(ctx context.Context) (map[string]counters, error)
	// hint is a command that shows more.
	hint() string
	// remove removes what this run created.
	remove(ctx context.Context) error
}

// audience are viewers of one stream in one office.
type audience struct {
	stream    string
	configURL string
	viewers   int
}

// share splits viewers between the streams and then between the offices; the first ones get one more if it does not divide evenly.
// It returns them by office and stream.
func share(viewers, streams int) [][]int {
	n := make([][]int, len(offices))
	for i := range n {
		n[i] = make([]int, streams)
	}
	for v := range viewers {
		n[v/streams%len(n)][v%streams]++
	}
	return n
}

func sum(numbers []int) int {
	total := 0
	for _, n := range numbers {
		total += n
	}
	return total
}

// nodeList and service hold the fields that the demo reads.
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

// nodeAddress is an address that pods and the nodes' network can reach: the InternalIP of the first ready
// node.
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

// nodePort is the port of a NodePort Service on every node.
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
