package controllers

import (
	"context"
	"slices"
	"sync"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

const (
	// classesEvery is how old the list of IngressClasses may be.
	classesEvery = 15 * time.Second
	// maxClasses bounds it.
	maxClasses = 100
	// classesTimeout keeps an API server that does not answer from holding up streams.
	classesTimeout = 5 * time.Second
)

// ingressClasses reads the IngressClasses of the cluster for streams that are exposed by an Ingress, past the cache: few
// clusters have more than three, and they hardly change.
type ingressClasses struct {
	live client.Reader
	now  func() time.Time

	mu   sync.Mutex
	read time.Time
	last *exposure.IngressClasses
}

// of returns the classes; nil when the stream needs none, or when they cannot be read: an operator without a ClusterRole may not.
func (c *ingressClasses) of(ctx context.Context, stream *v1.P2PStream) *exposure.IngressClasses {
	if exposure.SettingsOf(&stream.Spec, exposure.Tracker).Type != v1.ExposureIngress {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); c.read.IsZero() || now.Sub(c.read) >= classesEvery {
		c.read, c.last = now, c.list(ctx)
	}
	return c.last
}

func (c *ingressClasses) list(ctx context.Context) *exposure.IngressClasses {
	ctx, cancel := context.WithTimeout(ctx, classesTimeout)
	defer cancel()
	var list networkingv1.IngressClassList
	if err := c.live.List(ctx, &list, client.Limit(maxClasses)); err != nil {
		if !apierrors.IsForbidden(err) {
			logger(ctx).Error(err, "listing IngressClasses; none is reported as missing")
		}
		return nil
	}
	if list.Continue != "" {
		return nil // the rest may have the one that is asked for
	}
	classes := &exposure.IngressClasses{}
	for _, class := range list.Items {
		classes.Names = append(classes.Names, class.Name)
		classes.Default = classes.Default || class.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true"
	}
	slices.Sort(classes.Names)
	return classes
}
