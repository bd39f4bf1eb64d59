package apply

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// tokenBytes of randomness are beyond guessing (NIST SP 800-63B asks for 112 bits of a secret that is
// looked up).
const tokenBytes = 32

// Token creates the Secret with which seeders authenticate to the tracker of their stream. The operator may create it and never
// reads it: a Secret that exists is taken as it is.
func (a *Applier) Token(ctx context.Context, stream *v1.P2PStream) (*diagnose.Problem, error) {
	random := make([]byte, tokenBytes)
	_, _ = rand.Read(random) // never fails: crypto/rand aborts the program instead
	return a.Secret(ctx, stream, plan.TokenSecretName(stream.Name), base64.RawURLEncoding.EncodeToString(random))
}

// Secret creates one with a token, for a stream or a network. One that exists is taken as it is.
func (a *Applier) Secret(ctx context.Context, owner client.Object, name, token string) (*diagnose.Problem, error) {
	labels := plan.Labels(owner.GetName(), plan.ComponentSeeder)
	if kindOf(owner) == v1.NetworkKind {
		labels = plan.NetworkLabels(owner.GetName(), plan.ComponentTracker)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: owner.GetNamespace(), Name: name, Labels: labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, v1.GroupVersion.WithKind(kindOf(owner)))},
		},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{plan.TokenKey: []byte(token)},
	}
	err := a.Client.Create(ctx, secret, client.FieldOwner(FieldOwner))
	switch {
	case err == nil, apierrors.IsAlreadyExists(err):
		return nil, nil
	case leaving(err):
		return nil, nil
	}
	if problem, _ := explain(err, plan.Ref{Kind: "Secret", Name: secret.Name}, nil); problem != nil {
		return problem, nil
	}
	return nil, fmt.Errorf("creating Secret %s: %w", secret.Name, err)
}
