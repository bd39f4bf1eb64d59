package controllers

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// tableRoom is how many bytes a table has beside its entries, at most.
const tableRoom = 4 << 10

// admission is which of the streams that name a network it admits.
type admission struct {
	// refused streams, with the reason for each.
	refused map[types.NamespacedName]*diagnose.Problem
	// attached streams as they are in the cluster, those first that have their swarm for longest, and what trackers are told of each.
	attached []*v1.P2PStream
	entries  []table.Entry
	// what the attached ones hold from now on.
	holds holds
}

// holds is what the streams of a network have, as far as this operator knows.
type holds struct {
	places  places
	entries entries
}

// admit is pure. Before is what streams had. Labels are those of a namespace, or an error when
// they cannot be read. Its own error says that it is not known who is admitted.
func admit(network *v1.P2PNetwork, streams []*v1.P2PStream, key Key, before holds, now time.Time, labels func(namespace string) (map[string]string, error)) (admission, error) {
	a := admission{refused: map[types.NamespacedName]*diagnose.Problem{}, holds: holds{places{}, entries{}}}
	name := network.Namespace + "/" + network.Name
	held := make(map[*v1.P2PStream]place, len(streams))
	for _, s := range streams {
		held[s] = before.places.of(s, name)
	}
	streams = slices.SortedFunc(slices.Values(streams), func(x, y *v1.P2PStream) int {
		return cmp.Or(cmp.Compare(since(held[x].attached, now), since(held[y].attached, now)), byBirth(x, y))
	})
	most, mostOfOne := v1.MaxStreamsPerNetwork, v1.MaxStreamsPerNetwork
	if s := network.Spec.Streams; s != nil && s.Limits != nil {
		most, mostOfOne = limitOf(s.Limits.Streams), limitOf(s.Limits.StreamsPerNamespace)
	}
	of := map[string]int{}             // attached, by namespace
	room := table.MaxBytes - tableRoom // a table that a tracker refuses would keep the streams of all teams from changing
	for _, stream := range streams {
		refuse := func(reason, text string, heals bool) {
			a.refused[client.ObjectKeyFromObject(stream)] = &diagnose.Problem{Reason: reason, Message: text, Stalls: true, Heals: heals}
		}
		var has map[string]string
		if network.AdmitsBySelector() {
			var err error
			if has, err = labels(stream.Namespace); errors.Is(err, errLabelsUnknown) {
				return a, fmt.Errorf("admitting streams to network %s: %w", name, err)
			} else if err != nil {
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
		if network.DeletionTimestamp != nil && !status.AcceptedBy(stream.Status, name) {
			refuse(v1.ReasonNotAdmitted, fmt.Sprintf("Network %s is being deleted. Name another network in spec.networkRef.", name), false)
			continue
		}
		entry, size, err := entryOf(stream, network, key, before.entries)
		if invalid := (*plan.InvalidError)(nil); errors.As(err, &invalid) {
			refuse(v1.ReasonInvalidSpec, fmt.Sprintf("Network %s does not accept the stream: %s.", name, diagnose.Clean(err.Error())), false)
			continue
		} else if err != nil {
			return a, fmt.Errorf("admitting streams to network %s: %w", name, err)
		}
		if len(a.attached) >= most {
			refuse(v1.ReasonNetworkFull, fmt.Sprintf("Network %s has %d streams, which is the most that it admits. Ask its owners to raise spec.streams.limits.streams of the network, "+
				"or delete streams that are not needed.", name, most), false)
			continue
		}
		if of[stream.Namespace] >= mostOfOne {
			refuse(v1.ReasonNetworkFull, fmt.Sprintf("Namespace %s has %d streams on network %s, which is the most that it admits of one namespace. Delete streams that are not needed, or "+
				"ask the owners of the network to raise spec.streams.limits.streamsPerNamespace of the network.", stream.Namespace, mostOfOne, name), false)
			continue
		}
		if room -= size; room < 0 {
			room += size
			refuse(v1.ReasonNetworkFull, fmt.Sprintf("The streams of network %s have no room in the table of its tracker, which takes %d bytes; this one needs %d. "+
				"Shorten spec.source and spec.swarmID of this stream, ask the owners of the network for shorter spec.tracker.allowedOrigins, or delete streams that are not needed.", name, table.MaxBytes, size), false)
			continue
		}
		of[stream.Namespace]++
		a.attached = append(a.attached, stream)
		a.holds.entries[client.ObjectKeyFromObject(stream)] = entry
		a.holds.places[client.ObjectKeyFromObject(stream)] = held[stream].take(entry, now)
	}
	a.order()
	return a, nil
}

func limitOf(set *int32) int {
	if set == nil {
		return v1.MaxStreamsPerNetwork
	}
	return int(*set)
}

// order puts those first that have had their swarm for longest: of two with one swarm, trackers serve the first.
func (a *admission) order() {
	since := func(s *v1.P2PStream) int64 { return a.holds.places[client.ObjectKeyFromObject(s)].swarmSince }
	slices.SortFunc(a.attached, func(x, y *v1.P2PStream) int { return cmp.Or(cmp.Compare(since(x), since(y)), byBirth(x, y)) })
	for _, s := range a.attached {
		a.entries = append(a.entries, a.holds.entries[client.ObjectKeyFromObject(s)])
	}
}

// entryOf is what trackers are told of a stream, and how many bytes that takes. An *plan.InvalidError says what the stream
// has to change.
func entryOf(stream *v1.P2PStream, network *v1.P2PNetwork, key Key, before entries) (entry table.Entry, size int, err error) {
	entry, suspended := before.of(stream, network)
	if !suspended {
		effective, _, err := plan.Attach(stream, network)
		if err != nil {
			return entry, 0, err
		}
		if entry, err = plan.Entry(effective, hashes(key.seederToken(stream.UID))); err != nil {
			return entry, 0, err
		}
	}
	raw, err := json.Marshal(entry)
	if err != nil {
		return entry, 0, fmt.Errorf("encoding entry of the table: %w", err)
	}
	return entry, len(raw) + 1, nil // and a comma
}
