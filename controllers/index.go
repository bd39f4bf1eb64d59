package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// Fields of the cache's indexes. Without them each list of a stream's children would scan those of all streams.
const (
	// streamField of children and pods is the name of their stream.
	streamField = "p2pstream.stream"
	// networkField of children and pods is the name of their network.
	networkField = "p2pstream.network"
	// attachedField of streams is namespace/name of the network that they use.
	attachedField = "p2pstream.attached"
	// nodesField of streams is usingNodes for those that are reached by addresses of nodes.
	nodesField = "p2pstream.nodes"
	usingNodes = "true"
)

// Index adds to a cache the indexes that a Reconciler lists by. It has to be called before the cache starts.
func Index(ctx context.Context, indexer client.FieldIndexer, kinds exposure.Kinds) error {
	for _, o := range append(childKinds(kinds), &corev1.Pod{}) {
		if err := indexer.IndexField(ctx, o, streamField, streamName); err != nil {
			return fmt.Errorf("indexing %T by stream: %w", o, err)
		}
		if err := indexer.IndexField(ctx, o, networkField, networkName); err != nil {
			return fmt.Errorf("indexing %T by network: %w", o, err)
		}
	}
	if err := indexer.IndexField(ctx, &v1.P2PStream{}, nodesField, nodeUse); err != nil {
		return fmt.Errorf("indexing streams by their use of nodes: %w", err)
	}
	return nil
}

func streamName(o client.Object) []string {
	if name := o.GetLabels()[plan.LabelStream]; name != "" {
		return []string{name}
	}
	return nil
}

func networkName(o client.Object) []string {
	if name := o.GetLabels()[plan.LabelNetwork]; name != "" {
		return []string{name}
	}
	return nil
}

// nodeUse is that of the stream's own spec; see attachments.exposed for what streams have of networks.
func nodeUse(o client.Object) []string {
	if stream, is := o.(*v1.P2PStream); is && exposure.NeedsNodes(&stream.Spec) {
		return []string{usingNodes}
	}
	return nil
}
