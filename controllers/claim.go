package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/status"
)

// claimLasts is how long a claim holds that is not renewed. Statuses are written every five minutes.
const claimLasts = 15 * time.Minute

// reasonClaimed is the reason of the event about a stream that another installation has.
const reasonClaimed = "ClaimedElsewhere"

// claim makes the stream that of this installation before anything else is written: two installations with different images would
// replace each other's pods without end. When it is not mine, after is when to ask again; zero is when it changes.
func (r *Reconciler) claim(ctx context.Context, n *run) (mine bool, after time.Duration, err error) {
	held, now := n.stream.Status.Claim, r.Now()
	switch {
	case r.Controller == "", held != nil && held.Controller == r.Controller:
		return true, 0, nil
	case held == nil && n.memory.claimed:
		return true, 0, nil // the definition in the cluster is older than this operator, and drops the field
	case held != nil && now.Sub(held.RenewedAt.Time) < claimLasts:
		r.yield(ctx, n, held)
		return false, min(max(held.RenewedAt.Add(claimLasts).Sub(now), retryConflict), claimLasts), nil
	}
	claimed := n.stream.Status.DeepCopy()
	claimed.Claim = &v1.ClaimStatus{Controller: r.Controller, RenewedAt: metav1.NewTime(now.Truncate(time.Second))}
	switch err := r.write(ctx, n.stream, status.Result{Status: *claimed}, n.memory); {
	case apierrors.IsConflict(err):
		return false, retryConflict, nil // another installation was faster, or the stream was changed
	case apierrors.IsNotFound(err):
		return false, 0, nil
	case err != nil:
		return false, 0, fmt.Errorf("claiming stream: %w", err)
	}
	n.memory.claimed = true
	n.memory.catchUp(n.stream)
	return true, 0, nil
}

// yield leaves a stream to another installation, and tells once.
func (r *Reconciler) yield(ctx context.Context, n *run, held *v1.ClaimStatus) {
	r.pollers.Follow(client.ObjectKeyFromObject(n.stream), nil, nil)
	if n.memory.yielded == held.Controller {
		return
	}
	n.memory.yielded = held.Controller
	text := fmt.Sprintf("Installation %q of p2pstream has this stream, so installation %q leaves it alone. Let each watch namespaces of its own, or remove one; "+
		"a claim ends when it has not been renewed for %d minutes.", held.Controller, r.Controller, int(claimLasts.Minutes()))
	r.Events.Eventf(n.stream, nil, corev1.EventTypeWarning, reasonClaimed, "Reconcile", "%s", note(text))
	logger(ctx).Info("stream is another installation's", "controller", held.Controller)
}
