package manager

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/controllers"
)

// secrets is an API server that lets Secrets be created, and nothing else.
type secrets struct {
	client.Client
	made map[string]*corev1.Secret
}

func (s *secrets) Create(_ context.Context, o client.Object, _ ...client.CreateOption) error {
	name := o.GetNamespace() + "/" + o.GetName()
	if s.made[name] != nil {
		return apierrors.NewAlreadyExists(schema.GroupResource{Resource: "secrets"}, name)
	}
	s.made[name] = o.(*corev1.Secret)
	return nil
}

func TestTheKeyIsMadeOnceAndThenRead(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	api := &secrets{made: map[string]*corev1.Secret{}}
	operator := func() *keys { return &keys{file: file, secret: "manager-key", namespace: "system", api: api} }
	first := operator()
	made, err := first.find(t.Context())
	if err != nil || len(made) < controllers.MinKey {
		t.Fatalf("%d bytes, %v", len(made), err)
	}
	kept := api.made["system/manager-key"]
	if kept == nil || string(kept.Data[keyEntry]) != string(made) {
		t.Fatal("the Secret does not hold the key that the operator uses")
	}
	// Another operator, to which it is not mounted yet, waits and makes no key of its own.
	if key, err := operator().find(t.Context()); err == nil || key != nil {
		t.Errorf("a key that nobody else knows: %v", err)
	}
	if err := os.WriteFile(file, append(kept.Data[keyEntry], '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	second := operator()
	if err := second.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if string(second.get()) != string(made) {
		t.Error("an operator that starts again has another key")
	}
}

func TestAKeyThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	api := &secrets{made: map[string]*corev1.Secret{}}
	key, err := (&keys{file: file, secret: "k", namespace: "system", api: api}).find(t.Context())
	if err == nil || key != nil || !strings.Contains(err.Error(), "has 5 bytes") {
		t.Errorf("%v", err)
	}
	if len(api.made) != 0 {
		t.Error("a Secret was made although there is a file")
	}
}
