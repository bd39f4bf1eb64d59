package controllers

import (
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// office is a network whose operator admits streams from time to time.
type office struct {
	t       *testing.T
	network *v1.P2PNetwork
	streams []*v1.P2PStream
	now     time.Time
	known   places
}

func newOffice(t *testing.T, limits *v1.NetworkLimits) *office {
	t.Helper()
	return &office{t: t, now: time.Date(2026, 1, 2, 8, 0, 0, 0, time.UTC), network: &v1.P2PNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: "ecdn", Name: "corp"},
		Spec: v1.P2PNetworkSpec{Streams: &v1.NetworkStreamsSpec{Namespaces: &v1.NetworkNamespaces{From: v1.NamespacesFromAll}, Limits: limits}}}}
}

// stream is made at the present moment. Its namespace is that of its team.
func (o *office) stream(team, name, swarm string) *v1.P2PStream {
	s := &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: name, UID: types.UID(team + name + o.now.String()), Generation: 1, CreationTimestamp: metav1.NewTime(o.now)},
		Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "https://origin.example.com/m.m3u8"}, SwarmID: swarm, NetworkRef: &v1.NetworkReference{Name: "corp", Namespace: "ecdn"}}}
	o.streams = append(o.streams, s)
	return s
}

// run admits, writes what came of it into the streams, and returns the names of the attached ones in the order of the table.
func (o *office) run() (names []string) {
	o.t.Helper()
	a, err := admit(o.network, o.streams, Key("a key of the tests, 32 bytes or more"), o.known, o.now, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	o.known = a.places
	for _, s := range o.streams {
		s.Status = v1.P2PStreamStatus{ObservedGeneration: s.Generation, Network: a.places[client.ObjectKeyFromObject(s)].status("ecdn/corp")}
		if s.Status.Network != nil {
			s.Status.Conditions = []metav1.Condition{{Type: v1.ConditionAccepted, Status: metav1.ConditionTrue, Message: "The stream uses network ecdn/corp"}}
		}
	}
	for i, s := range a.attached {
		if a.entries[i].Key().String() != s.Namespace+"/"+s.Name {
			o.t.Errorf("entry %d is that of %s, not of %s", i, a.entries[i].Key(), s.Name)
		}
		names = append(names, s.Name)
	}
	o.now = o.now.Add(time.Minute)
	return names
}

// restart loses what the operator had in memory.
func (o *office) restart() { o.known = nil }

func (o *office) want(names []string, want ...string) {
	o.t.Helper()
	if !slices.Equal(names, want) {
		o.t.Errorf("attached, in the order of the table: %v, want %v", names, want)
	}
}

// rename is an edit of spec.swarmID.
func rename(s *v1.P2PStream, swarm string) { s.Spec.SwarmID, s.Generation = swarm, s.Generation+1 }

// TestAnOldStreamTakesNoSwarmOfAYoungerOne, however the operator comes to know of the change.
func TestAnOldStreamTakesNoSwarmOfAYoungerOne(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) (o *office, old, young *v1.P2PStream) {
		o = newOffice(t, nil)
		old = o.stream("attacker", "old", "nothing")
		o.run()
		young = o.stream("victim", "young", "town-hall")
		o.want(o.run(), "old", "young")
		return o, old, young
	}
	t.Run("while it runs", func(t *testing.T) {
		t.Parallel()
		o, old, _ := begin(t)
		rename(old, "town-hall")
		o.want(o.run(), "young", "old")
		o.want(o.run(), "young", "old")
		o.restart()
		o.want(o.run(), "young", "old")
	})
	t.Run("while it is away", func(t *testing.T) {
		t.Parallel()
		o, old, _ := begin(t)
		o.restart()
		rename(old, "town-hall")
		o.want(o.run(), "young", "old")
	})
	t.Run("by its URL", func(t *testing.T) {
		t.Parallel()
		o, old, young := begin(t)
		rename(young, "")
		o.want(o.run(), "old", "young")
		rename(old, string(young.Spec.Source.URL))
		o.want(o.run(), "young", "old")
	})
	t.Run("again and again", func(t *testing.T) {
		t.Parallel()
		o, old, _ := begin(t)
		for range 3 {
			rename(old, "town-hall")
			o.want(o.run(), "young", "old")
			rename(old, "nothing")
			o.run()
		}
	})
	t.Run("with a status that was written by hand", func(t *testing.T) {
		t.Parallel()
		o, _, _ := begin(t)
		latest := o.stream("attacker", "latest", "town-hall")
		o.run()
		o.restart()
		latest.Status.Network.SwarmSince, latest.Status.Network.AttachedAt = metav1.Unix(1, 0), metav1.Unix(1, 0)
		o.want(o.run(), "old", "young", "latest")
	})
	t.Run("from another network", func(t *testing.T) {
		t.Parallel()
		o, _, _ := begin(t)
		moved := o.stream("attacker", "moved", "town-hall")
		moved.CreationTimestamp = metav1.NewTime(o.now.Add(-time.Hour))
		moved.Status.Network = &v1.NetworkPlaceStatus{Name: "ecdn/other", AttachedAt: moved.CreationTimestamp, Swarm: o.known[types.NamespacedName{Namespace: "victim", Name: "young"}].swarm, SwarmSince: moved.CreationTimestamp}
		o.want(o.run(), "old", "young", "moved")
	})
	t.Run("made anew by its owner", func(t *testing.T) {
		t.Parallel()
		o, _, _ := begin(t)
		o.stream("attacker", "second", "town-hall")
		o.want(o.run(), "old", "young", "second")
		o.streams = slices.DeleteFunc(o.streams, func(s *v1.P2PStream) bool { return s.Name == "young" })
		o.run()
		o.stream("victim", "young", "town-hall") // with the name of the one before, and another UID
		o.want(o.run(), "old", "second", "young")
	})
	t.Run("other changes of its owner", func(t *testing.T) {
		t.Parallel()
		o, old, young := begin(t)
		rename(old, "town-hall")
		o.run()
		young.Generation, young.Spec.Source.SignedPaths = 9, []v1.SignedPath{"/signed/*"}
		o.want(o.run(), "young", "old")
	})
}

// TestStreamsOfAFormerOperatorKeepWhatTheyHad: it kept no places, and the older stream had the swarm.
func TestStreamsOfAFormerOperatorKeepWhatTheyHad(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	old := o.stream("one", "old", "a")
	o.run()
	o.stream("two", "young", "b")
	o.run()
	for _, s := range o.streams {
		s.Status.Network = nil
	}
	o.restart()
	o.want(o.run(), "old", "young")
	o.restart()
	old.Status.Network = nil
	rename(old, "b") // while no operator ran
	o.want(o.run(), "young", "old")
}

// TestAnOldStreamTakesNoPlaceOnAFullNetwork when it comes from elsewhere.
func TestAnOldStreamTakesNoPlaceOnAFullNetwork(t *testing.T) {
	t.Parallel()
	two := int32(2)
	o := newOffice(t, &v1.NetworkLimits{Streams: &two})
	old := o.stream("attacker", "old", "x")
	o.streams = nil // it does not name the network yet
	o.now = o.now.Add(time.Hour)
	for i := range 2 {
		o.stream("victim", fmt.Sprint("live", i), fmt.Sprint(i))
	}
	o.want(o.run(), "live0", "live1")
	o.streams = append(o.streams, old)
	o.want(o.run(), "live0", "live1")
	o.restart()
	o.want(o.run(), "live0", "live1")
	// An edit of its swarm does not cost a stream its place.
	rename(o.streams[0], "y")
	o.want(o.run(), "live1", "live0")
}
