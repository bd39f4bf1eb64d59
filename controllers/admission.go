package controllers

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// admission is which of the streams that name a network it admits.
type admission struct {
	// refused streams, with the reason for each.
	refused map[types.NamespacedName]*diagnose.Problem
	// attached streams as they are in the cluster, the oldest first, and what trackers are told of each.
	attached []*v1.P2PStream
	entries  []table.Entry
}

// admit is pure. Labels are those of a namespace, or an error when they cannot be read.
func admit(network *v1.P2PNetwork, streams []*v1.P2PStream, key Key, labels func(namespace string) (map[string]string, error)) admission {
	a := admission{refused: map[types.NamespacedName]*diagnose.Problem{}}
	streams = slices.SortedFunc(slices.Values(streams), func(x, y *v1.P2PStream) int {
		return cmp.Or(x.CreationTimestamp.Compare(y.CreationTimestamp.Time), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name))
	})
	name := network.Namespace + "/" + network.Name
	most := v1.MaxStreamsPerNetwork
	if s := network.Spec.Streams; s != nil && s.Limits != nil && s.Limits.Streams != nil {
		most = int(*s.Limits.Streams)
	}
	for _, stream := range streams {
		refuse := func(reason, text string, heals bool) {
			a.refused[client.ObjectKeyFromObject(stream)] = &diagnose.Problem{Reason: reason, Message: text, Stalls: true, Heals: heals}
		}
		var has map[string]string
		if network.AdmitsBySelector() {
			var err error
			if has, err = labels(stream.Namespace); err != nil {
				refuse(v1.ReasonNotAdmitted, fmt.Sprintf("Network %s admits namespaces by their labels, and those of namespace %s cannot be read: %s. "+
					"Let the operator get namespaces, or set spec.streams.namespaces.from of the network to All or Same.", name, stream.Namespace, diagnose.Clean(err.Error())), true)
				continue
			}
		}
		if !network.Admits(stream.Namespace, has) {
			refuse(v1.ReasonNotAdmitted, fmt.Sprintf("Network %s does not admit streams of namespace %s. Ask its owners to admit the namespace in spec.streams.namespaces of the network, "+
				"or name another network.", name, stream.Namespace), true)
			continue
		}
		if network.DeletionTimestamp != nil && !was(stream, v1.ConditionAccepted) {
			refuse(v1.ReasonNotAdmitted, fmt.Sprintf("Network %s is being deleted. Name another network in spec.networkRef.", name), false)
			continue
		}
		effective, err := plan.Attach(stream, network)
		var entry table.Entry
		if err == nil {
			entry, err = plan.Entry(effective, hashes(key.seederToken(stream.UID)))
		}
		if invalid := (*plan.InvalidError)(nil); errors.As(err, &invalid) {
			refuse(v1.ReasonInvalidSpec, fmt.Sprintf("Network %s does not accept the stream: %s.", name, diagnose.Clean(err.Error())), false)
			continue
		}
		if len(a.attached) >= most {
			refuse(v1.ReasonNetworkFull, fmt.Sprintf("Network %s has %d streams, which is the most that it admits. Ask its owners to raise spec.streams.limits.streams of the network, "+
				"or delete streams that are not needed.", name, most), false)
			continue
		}
		a.attached = append(a.attached, stream)
		a.entries = append(a.entries, entry)
	}
	return a
}

// was tells whether a condition is True in status.
func was(stream *v1.P2PStream, condition string) bool {
	for _, c := range stream.Status.Conditions {
		if c.Type == condition {
			return c.Status == "True"
		}
	}
	return false
}
