package controllers

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// place is what a stream holds on a network, each since a second: its place among the streams, and a swarm. Zero times: it does not
// hold that.
//
// The age of a stream counts for neither. Users who have an old one could name another network or swarm in it, and so take what younger
// streams have been using.
type place struct {
	uid        types.UID
	attached   int64
	swarm      string
	swarmSince int64
}

// places of the streams of a network.
type places map[types.NamespacedName]place

// of is what a stream holds on a network. This operator's own memory comes first, since caches lag; then the stream's status.
func (p places) of(stream *v1.P2PStream, network string) place {
	if held, ok := p[client.ObjectKeyFromObject(stream)]; ok && held.uid == stream.UID {
		return held
	}
	held, born := place{uid: stream.UID}, stream.CreationTimestamp.Unix()
	switch n := stream.Status.Network; {
	case n != nil && n.Name == network:
		// No stream has held anything for longer than it exists, whatever its status says.
		held.attached, held.swarm, held.swarmSince = max(n.AttachedAt.Unix(), born), n.Swarm, max(n.SwarmSince.Unix(), born)
	case n == nil && status.AcceptedBy(stream.Status, network):
		// An operator that kept no places has accepted it: the older stream had the swarm.
		held.attached = born
		if stream.Status.ObservedGeneration == stream.Generation {
			held.swarmSince = born
		}
	}
	return held
}

// since orders by age: what is not held yet comes last.
func since(second int64, now time.Time) int64 {
	if second == 0 {
		return now.Unix()
	}
	return second
}

// take returns what a stream that is accepted with an entry holds from now on.
func (p place) take(e table.Entry, now time.Time) place {
	sum := sha256.Sum256([]byte(e.Swarm()))
	swarm := hex.EncodeToString(sum[:16])
	if p.swarm != swarm && p.swarm != "" {
		p.swarmSince = 0 // another one than before
	}
	p.attached, p.swarm, p.swarmSince = since(p.attached, now), swarm, since(p.swarmSince, now)
	return p
}

// status is how a place is kept over restarts of the operator.
func (p place) status(network string) *v1.NetworkPlaceStatus {
	if p.attached == 0 {
		return nil
	}
	return &v1.NetworkPlaceStatus{Name: network, AttachedAt: metav1.Unix(p.attached, 0), Swarm: p.swarm, SwarmSince: metav1.Unix(p.swarmSince, 0)}
}

// byBirth orders streams of which none has held something for longer.
func byBirth(x, y *v1.P2PStream) int {
	return cmp.Or(x.CreationTimestamp.Compare(y.CreationTimestamp.Time), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name))
}
