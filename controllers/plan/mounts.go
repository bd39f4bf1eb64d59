package plan

import corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

// mount is a volume and the path where a container mounts it. subPath is not used, because such mounts are never
// updated.
type mount struct {
	volume *corev1ac.VolumeApplyConfiguration
	path   string
	// writable: the container may write there.
	writable bool
}

func configMount(name string) mount {
	return mount{volume: corev1ac.Volume().WithName("config").WithConfigMap(corev1ac.ConfigMapVolumeSource().WithName(name)), path: mountConfig}
}

func tokenMount(stream string) mount {
	return secretMount("token", TokenSecretName(stream), mountToken, TokenKey)
}

// originMounts are the Secrets for requests to the origin.
func (p *planner) originMounts() []mount {
	var mounts []mount
	if ref := p.spec.Source.HeadersSecretRef; ref != nil {
		mounts = append(mounts, secretMount("headers", string(ref.Name), mountHeaders))
	}
	if ref := p.spec.Source.CASecretRef; ref != nil {
		mounts = append(mounts, secretMount("ca", string(ref.Name), mountCA, "ca.crt"))
	}
	return mounts
}

// tokenKeyMounts are the keys of viewers' tokens.
func (p *planner) tokenKeyMounts() []mount {
	t := p.spec.Viewers.Tokens
	switch {
	case t == nil:
		return nil
	case t.SecretRef != nil:
		return []mount{secretMount("viewer-keys", string(t.SecretRef.Name), mountKeys)}
	case t.ConfigMapRef != nil:
		source := corev1ac.ConfigMapVolumeSource().WithName(string(t.ConfigMapRef.Name))
		return []mount{{volume: corev1ac.Volume().WithName("viewer-keys").WithConfigMap(source), path: mountKeys}}
	}
	return nil // the API server refuses tokens without keys
}

// secretMount mounts the given keys of a Secret, or all keys. If a given key is missing, the pod does not start, and an
// event reports it.
func secretMount(name, secret, path string, keys ...string) mount {
	source := corev1ac.SecretVolumeSource().WithSecretName(secret)
	for _, key := range keys {
		source.WithItems(corev1ac.KeyToPath().WithKey(key).WithPath(key))
	}
	return mount{volume: corev1ac.Volume().WithName(name).WithSecret(source), path: path}
}
