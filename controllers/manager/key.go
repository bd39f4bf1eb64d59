package manager

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/controllers"
)

const (
	// keyEntry is the key of the Secret that holds the operator's key.
	keyEntry = "key"
	// maxKeyFile bounds what is read of the file.
	maxKeyFile = 4096
	keyEvery   = time.Second
)

// keys is the operator's key. The pod mounts the Secret that holds it, so that the operator, which may create Secrets and not read
// them, knows it after a restart. Who finds none makes one, and uses it before it is mounted.
type keys struct {
	file      string // where the Secret is mounted
	secret    string // its name
	namespace string
	api       client.Client
	warn      func(error)

	mu  sync.Mutex
	key controllers.Key
}

// get returns the key; nil while there is none.
func (k *keys) get() controllers.Key {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.key
}

// Start implements manager.Runnable: it looks for the key until it has one.
func (k *keys) Start(ctx context.Context) error {
	tick := time.NewTicker(keyEvery)
	defer tick.Stop()
	said := ""
	for {
		key, err := k.find(ctx)
		if err == nil {
			k.mu.Lock()
			k.key = key
			k.mu.Unlock()
			return nil
		}
		if text := err.Error(); text != said && ctx.Err() == nil {
			said = text
			k.warn(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: one operator makes the key.
func (k *keys) NeedLeaderElection() bool { return true }

// errNotMounted is the time between the first start of an operator and the next mount of what it made.
var errNotMounted = errors.New("its Secret exists and is not mounted yet, which may take two minutes after it was made")

// find reads the file or, if there is none, makes the Secret.
func (k *keys) find(ctx context.Context) (controllers.Key, error) {
	if key := k.get(); key != nil {
		return key, nil
	}
	key, err := readKey(k.file)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	random := make([]byte, controllers.MinKey)
	_, _ = rand.Read(random) // never fails: crypto/rand aborts the program instead
	made := controllers.Key(base64.RawURLEncoding.EncodeToString(random))
	err = k.api.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: k.namespace, Name: k.secret, Labels: map[string]string{
			"app.kubernetes.io/name": "p2pstream", "app.kubernetes.io/component": "manager"}},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{keyEntry: made},
	}, client.FieldOwner(controllers.NetworkOwner))
	switch {
	case err == nil:
		return made, nil
	case apierrors.IsAlreadyExists(err):
		return nil, errNotMounted
	}
	return nil, fmt.Errorf("creating Secret %s/%s: %w", k.namespace, k.secret, err)
}

func readKey(file string) (controllers.Key, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading key: %w", err)
	}
	defer f.Close() //nolint:errcheck // opened for reading only
	raw, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading key: %w", err)
	}
	key := bytes.TrimSpace(raw)
	if len(key) < controllers.MinKey || len(raw) > maxKeyFile {
		return nil, fmt.Errorf("reading key: %s has %d bytes, want %d to %d of randomness", file, len(key), controllers.MinKey, maxKeyFile)
	}
	return key, nil
}
