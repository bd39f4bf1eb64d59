package controllers

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// TestTrackersKeepTheHashWhileTheKeyIsRead: an operator that starts does not open the trackers that are there, and one that has no key
// at all does not leave them with a token that it does not have.
func TestTrackersKeepTheHashWhileTheKeyIsRead(t *testing.T) {
	t.Parallel()
	var key Key
	r := NewReconciler(Options{Key: func() Key { return key }})
	stream := &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Name: "live", UID: "u"}}
	n := &run{stream: stream, snapshot: &snapshot{children: map[plan.Ref]client.Object{}}}
	if got := r.operatorHashes(n); len(got) != 0 || r.operatorToken(n) != "" {
		t.Errorf("without a key: %q", got)
	}
	n.snapshot.children[plan.Ref{Kind: "ConfigMap", Name: "live-tracker"}] = &corev1.ConfigMap{Data: map[string]string{plan.FileOperators: `["sha256:before"]`}}
	if got := r.operatorHashes(n); !slices.Equal(got, []string{"sha256:before"}) {
		t.Errorf("before the key is read: %q", got)
	}
	if got := NewReconciler(Options{}).operatorHashes(n); len(got) != 0 {
		t.Errorf("of an operator that has no key: %q", got)
	}
	key = Key("a key of the tests, 32 bytes or more")
	if got := r.operatorHashes(n); !slices.Equal(got, hashes(string(r.operatorToken(n)))) || r.operatorToken(n) == "" {
		t.Errorf("with a key: %q", got)
	}
}
