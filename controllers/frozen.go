package controllers

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// entries are what trackers were told last of the streams of a network.
type entries map[types.NamespacedName]table.Entry

// of is the entry of a suspended stream: what trackers were told of it before, whatever its spec has become. Which pages may connect is for
// the network to say, also while a stream is suspended.
func (e entries) of(stream *v1.P2PStream, network *v1.P2PNetwork) (table.Entry, bool) {
	entry, known := e[client.ObjectKeyFromObject(stream)]
	if !stream.Spec.Suspend || !known || entry.UID != string(stream.UID) {
		return table.Entry{}, false
	}
	entry.AllowedOrigins = nil
	if t := network.Spec.Tracker; t != nil {
		for _, o := range t.AllowedOrigins {
			entry.AllowedOrigins = append(entry.AllowedOrigins, string(o))
		}
	}
	return entry, true
}

// recall brings back what an operator that has just started does not know: what trackers were told of streams that are suspended. It is in the
// ConfigMap that is kept for new pods of trackers. Where that is missing or of no use, specs count.
func (r *Reconciler) recall(ctx context.Context, network *v1.P2PNetwork, streams []*v1.P2PStream, m *networkMemory) error {
	if m.entries != nil || !slices.ContainsFunc(streams, func(s *v1.P2PStream) bool { return s.Spec.Suspend }) {
		return nil
	}
	kept := &corev1.ConfigMap{}
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: network.Namespace, Name: plan.KeptTableName(network.Name)}, kept)
	switch {
	case apierrors.IsNotFound(err), err == nil && !metav1.IsControlledBy(kept, network):
		return nil
	case err != nil:
		return fmt.Errorf("reading table of streams: %w", err)
	}
	t, err := unpack(kept.BinaryData[plan.KeptTableKey])
	if err != nil {
		logger(ctx).Error(err, "the table of streams that was kept cannot be used; suspended streams are served as their specs say")
		return nil
	}
	m.entries = entries{}
	for _, e := range t.Streams {
		m.entries[types.NamespacedName{Namespace: e.Namespace, Name: e.Name}] = e
	}
	return nil
}

// unpack reads what keep has packed.
func unpack(packed []byte) (table.Table, error) {
	in, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return table.Table{}, fmt.Errorf("unpacking table of streams: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(in, table.MaxBytes+1))
	if err != nil {
		return table.Table{}, fmt.Errorf("unpacking table of streams: %w", err)
	}
	return table.Parse(raw, table.Rules{})
}
