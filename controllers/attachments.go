package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// attachments is what runs of networks tell runs of streams.
type attachments struct {
	mu     sync.Mutex
	byName map[types.NamespacedName]*decided
	// readings of admitted streams, by network and stream.
	readings map[types.NamespacedName]map[types.NamespacedName]status.StreamReading
}

// decided is what the last run of a network came to. It is not changed.
type decided struct {
	network *v1.P2PNetwork // with the status of that run
	// foreign: another installation has the network.
	foreign  bool
	admitted map[types.NamespacedName]types.UID
	refused  map[types.NamespacedName]*diagnose.Problem
	places   places // of the admitted ones
}

func (a *attachments) of(network types.NamespacedName) *decided {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byName[network]
}

// set keeps what a run came to, or forgets a network when that is nil. It returns the streams that have to run for it.
func (a *attachments) set(network types.NamespacedName, now *decided) (changed []types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.byName[network]
	if now == nil {
		delete(a.byName, network)
		now = &decided{}
	} else {
		if a.byName == nil {
			a.byName = map[types.NamespacedName]*decided{}
		}
		a.byName[network] = now
	}
	if before == nil {
		before = &decided{}
	}
	a.keepReadings(network, now.admitted)
	all := before.foreign != now.foreign || !sameFace(before.network, now.network)
	for name, uid := range now.admitted {
		if all || before.admitted[name] != uid || before.places[name] != now.places[name] {
			changed = append(changed, name)
		}
	}
	for name, problem := range now.refused {
		if old := before.refused[name]; all || old == nil || *old != *problem {
			changed = append(changed, name)
		}
	}
	gone := func(name types.NamespacedName) {
		if now.admitted[name] == "" && now.refused[name] == nil {
			changed = append(changed, name)
		}
	}
	for name := range before.admitted {
		gone(name)
	}
	for name := range before.refused {
		gone(name)
	}
	return changed
}

// sameFace tells whether streams see no difference between two states of a network.
func sameFace(a, b *v1.P2PNetwork) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.UID != b.UID || a.Generation != b.Generation || text(a.Status.Endpoints) != text(b.Status.Endpoints) || len(a.Status.Conditions) != len(b.Status.Conditions) {
		return false
	}
	for i, c := range a.Status.Conditions {
		if d := b.Status.Conditions[i]; c.Type != d.Type || c.Status != d.Status || c.Reason != d.Reason || c.Message != d.Message {
			return false
		}
	}
	return true
}

func text(e *v1.NetworkEndpointsStatus) string {
	if e == nil {
		return ""
	}
	return fmt.Sprint(*e)
}

// tell notes what the tracker said of an admitted stream.
func (a *attachments) tell(network, stream types.NamespacedName, said status.StreamReading) {
	a.mu.Lock()
	defer a.mu.Unlock()
	of := a.readings[network]
	if d := a.byName[network]; d == nil || d.admitted[stream] == "" || said.Reading == nil {
		delete(of, stream)
		return
	}
	if of == nil {
		of = map[types.NamespacedName]status.StreamReading{}
		if a.readings == nil {
			a.readings = map[types.NamespacedName]map[types.NamespacedName]status.StreamReading{}
		}
		a.readings[network] = of
	}
	of[stream] = said
}

// said is what was told of the streams of a network.
func (a *attachments) said(network types.NamespacedName) []status.StreamReading {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Values(a.readings[network]))
}

// keepReadings forgets those of streams that are not admitted. The caller holds the lock.
func (a *attachments) keepReadings(network types.NamespacedName, admitted map[types.NamespacedName]types.UID) {
	maps.DeleteFunc(a.readings[network], func(stream types.NamespacedName, _ status.StreamReading) bool { return admitted[stream] == "" })
	if len(a.readings[network]) == 0 {
		delete(a.readings, network)
	}
}

// exposed are the attached streams whose seeders have their exposure, and so perhaps addresses of nodes, from their network.
func (a *attachments) exposed() (streams []types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range a.byName {
		if d.network == nil || d.network.Spec.Seeders == nil || !exposure.NeedsNodes(&v1.P2PStreamSpec{Seeders: &v1.SeedersSpec{Exposure: d.network.Spec.Seeders.Exposure}}) {
			continue
		}
		for stream := range d.admitted {
			streams = append(streams, stream)
		}
	}
	return streams
}

// networkOf is the network that a stream is to use; false when it has a tracker of its own. The default network is for streams that
// say nothing of what a network has.
//
// A suspended stream stays where it is: on its network, or with a tracker of its own, whatever its spec has become.
func (r *Reconciler) networkOf(stream *v1.P2PStream) (types.NamespacedName, bool) {
	if stream.Spec.Suspend {
		if n := stream.Status.Network; n != nil {
			namespace, name, _ := strings.Cut(n.Name, "/")
			return types.NamespacedName{Namespace: namespace, Name: name}, true
		}
		if !status.Attaching(stream.Status) {
			return types.NamespacedName{}, false
		}
	}
	switch ref := stream.Spec.NetworkRef; {
	case ref != nil && ref.Name != "":
		name := types.NamespacedName{Namespace: string(ref.Namespace), Name: string(ref.Name)}
		if name.Namespace == "" {
			name.Namespace = stream.Namespace
		}
		return name, true
	case ref != nil, r.DefaultNetwork.Name == "":
		return types.NamespacedName{}, false
	case stream.Spec.Tracker != nil, stream.Spec.STUN != nil, stream.Spec.Sites != nil:
		return types.NamespacedName{}, false
	}
	return r.DefaultNetwork, true
}

// attachment of the stream of a run; nil when it has a tracker of its own.
type attachment struct {
	key     types.NamespacedName
	network *v1.P2PNetwork // nil when there is none
	refused *diagnose.Problem
	served  bool
	place   place    // of an admitted stream
	above   []string // what it asks for beyond the limits of the network
}

// attach looks up the network of a stream and, if the stream is admitted, makes the stream of the run what its network makes it.
// It returns false while the network has not decided: its run wakes the stream.
func (r *Reconciler) attach(ctx context.Context, n *run) (decided bool, err error) {
	key, attached := r.networkOf(n.stream)
	if !attached {
		return true, nil
	}
	n.network = &attachment{key: key}
	d := r.attachments.of(key)
	if d == nil {
		return r.missing(ctx, n)
	}
	n.network.network = d.network
	if d.foreign {
		n.network.refused = &diagnose.Problem{Reason: v1.ReasonNotAdmitted, Stalls: true, Heals: true,
			Message: fmt.Sprintf("Network %s is another installation's of p2pstream. Let the same installation watch the namespaces of both.", key)}
		return true, nil
	}
	stream := client.ObjectKeyFromObject(n.stream)
	if n.network.refused = d.refused[stream]; n.network.refused != nil {
		return true, nil
	}
	if d.admitted[stream] != n.stream.UID {
		return false, nil
	}
	effective, above, err := plan.Attach(n.stream, d.network)
	if err != nil && !n.stream.Spec.Suspend {
		return false, nil // the stream has changed since the network looked; its next run says what is wrong
	}
	served, state := r.pushers.Served(key, table.Key(stream), n.stream.UID)
	n.network.served, n.network.place, n.network.above = served, d.places[stream], above
	if state.Problem == table.ProblemSwarmTaken {
		n.network.refused = &diagnose.Problem{Reason: v1.ReasonSwarmTaken, Stalls: true,
			Message: "Another stream of the network has had the same swarm for longer: " + diagnose.Clean(state.Detail) + "."}
	}
	n.stream = effective
	return true, nil
}

// missing is the case of a network that has not run.
func (r *Reconciler) missing(ctx context.Context, n *run) (decided bool, err error) {
	refuse := func(text string) (bool, error) {
		n.network.refused = &diagnose.Problem{Reason: v1.ReasonNetworkNotFound, Stalls: true, Heals: true, Message: text}
		return true, nil
	}
	key := n.network.key
	if !r.watches(key.Namespace) {
		return refuse(fmt.Sprintf("Network %s is in a namespace that this installation of p2pstream does not watch. Let it watch namespace %s, or name another network.", key, key.Namespace))
	}
	network := &v1.P2PNetwork{}
	switch err := r.Client.Get(ctx, key, network); {
	case apierrors.IsNotFound(err):
		return refuse(fmt.Sprintf("There is no P2PNetwork %s in namespace %s. Create it, or correct spec.networkRef.", key.Name, key.Namespace))
	case err != nil:
		return false, fmt.Errorf("reading network: %w", err)
	}
	return false, nil
}

// watches tells whether objects of a namespace are in the cache.
func (r *Reconciler) watches(namespace string) bool {
	if len(r.Namespaces) == 0 {
		return true
	}
	for _, n := range r.Namespaces {
		if n == namespace || n == "" {
			return true
		}
	}
	return false
}

// view is what the status of the stream is told of its network.
func (a *attachment) view() *status.Attached {
	if a == nil {
		return nil
	}
	v := &status.Attached{Network: a.key.String(), Refused: a.refused, Served: a.served, Place: a.place.status(a.key.String()), Above: a.above}
	if a.network != nil {
		v.Conditions = a.network.Status.Conditions
	}
	return v
}
