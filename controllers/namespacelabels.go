package controllers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// labelsEvery is how old the labels of a namespace may be.
	labelsEvery = 15 * time.Second
	// maxNamespaces bounds those that are remembered.
	maxNamespaces = 10_000
)

// namespaceLabels reads the labels of namespaces for networks that admit by them, past the cache: that of all namespaces would have
// to be watched, and most networks need none.
type namespaceLabels struct {
	live client.Reader
	now  func() time.Time

	mu     sync.Mutex
	byName map[string]labelled
}

type labelled struct {
	read   time.Time
	labels map[string]string
	err    error
}

// errLabelsUnknown says that the API server was asked for labels in vain, and did not say that they cannot be had. Who is admitted is
// not known then.
var errLabelsUnknown = errors.New("reading labels of namespace")

// of returns the labels of a namespace. Those that were read stay until the API server says something else: when it does not answer,
// no stream loses its place.
func (l *namespaceLabels) of(ctx context.Context, namespace string) (map[string]string, error) {
	l.mu.Lock()
	known, found := l.byName[namespace]
	l.mu.Unlock()
	now := l.now()
	if found && now.Sub(known.read) < labelsEvery {
		return known.labels, known.err
	}
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	next := labelled{read: now}
	switch err := l.live.Get(ctx, client.ObjectKey{Name: namespace}, object); {
	case err == nil:
		next.labels = object.Labels
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err):
		next.err = fmt.Errorf("reading namespace: %w", err)
	case found:
		next.labels, next.err = known.labels, known.err // they may have changed since
	default:
		return nil, fmt.Errorf("%w of %s: %w", errLabelsUnknown, namespace, err)
	}
	known = next
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byName == nil {
		l.byName = map[string]labelled{}
	}
	if len(l.byName) >= maxNamespaces {
		maps.DeleteFunc(l.byName, func(_ string, old labelled) bool { return now.Sub(old.read) >= labelsEvery })
	}
	if len(l.byName) < maxNamespaces {
		l.byName[namespace] = known
	}
	return known.labels, known.err
}
