package v1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// PodsSpec shapes the pods of a stream. The same fields are the defaults of an installation (--pod-defaults): labels,
// annotations, nodeSelector and env are merged by key, and what else a stream sets replaces the default.
type PodsSpec struct {
	// Labels are added to the pods, for policies and cost reports. Those that the operator sets stay.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('p2pstream.dev/') && !k.startsWith('app.kubernetes.io/'))",message="pods.labels must not begin with p2pstream.dev/ or app.kubernetes.io/, which the operator sets"
	Labels map[string]string `json:"labels,omitempty"`

	// Annotations are added to the pods, for example sidecar.istio.io/inject.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('p2pstream.dev/'))",message="pods.annotations must not begin with p2pstream.dev/, which the operator sets"
	Annotations map[string]string `json:"annotations,omitempty"`

	// NodeSelector selects the nodes of the pods. seeders.nodeSelector and that of a site come on top. Default:
	// kubernetes.io/os: linux.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// Tolerations of the pods. seeders.tolerations and those of a site come on top.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// Affinity of the pods, for rules that nodeSelector cannot express: as in a pod (core/v1 Affinity). The operator checks it.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	Affinity *runtime.RawExtension `json:"affinity,omitempty"`

	// TopologySpreadConstraints replace the default, which prefers to spread pods over nodes, and seeders over zones.
	// A constraint without a labelSelector counts the pods of the same component.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// PriorityClassName protects the pods of an important stream from being evicted first.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// ImagePullSecrets name the Secrets with credentials of the registry, in the namespace of the stream.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	ImagePullSecrets []SecretReference `json:"imagePullSecrets,omitempty"`

	// ServiceAccountName is the account of the pods, for policies that go by accounts. Its token is not mounted.
	// Default: that of the namespace.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// Env are environment variables of the containers, such as HTTPS_PROXY and NO_PROXY.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Env []EnvVar `json:"env,omitempty"`
}

// EnvVar is an environment variable: its value, or where its value is.
type EnvVar struct {
	// Name of the variable.
	// +required
	Name EnvName `json:"name"`
	// Value of the variable.
	// +optional
	// +kubebuilder:validation:MaxLength=8192
	Value string `json:"value,omitempty"`
	// ValueFrom is where the value is, for example a proxy's URL with a password.
	// +optional
	ValueFrom *EnvSource `json:"valueFrom,omitempty"`
}

// EnvName is the name of an environment variable.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
// +kubebuilder:validation:XValidation:rule="!(self in ['GOMEMLIMIT', 'POD_IP', 'HOST_IP', 'POD_INDEX'])",message="pods.env must not set GOMEMLIMIT, POD_IP, HOST_IP or POD_INDEX, which the operator sets"
type EnvName string

// EnvSource names a key of a Secret or of a ConfigMap in the namespace of the stream.
type EnvSource struct {
	// SecretKeyRef names the key of a Secret. The operator never reads it.
	// +optional
	SecretKeyRef *corev1.SecretKeySelector `json:"secretKeyRef,omitempty"`
	// ConfigMapKeyRef names the key of a ConfigMap.
	// +optional
	ConfigMapKeyRef *corev1.ConfigMapKeySelector `json:"configMapKeyRef,omitempty"`
}

var (
	envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	ownEnv  = []EnvName{"GOMEMLIMIT", "POD_IP", "HOST_IP", "POD_INDEX"}
)

// Validate checks the shape against the rules of the CRD, for defaults that come from a file.
func (s *PodsSpec) Validate(at *field.Path) field.ErrorList {
	if s == nil {
		return nil
	}
	var errs field.ErrorList
	for _, m := range []struct {
		name   string
		values map[string]string
	}{{"labels", s.Labels}, {"annotations", s.Annotations}, {"nodeSelector", s.NodeSelector}} {
		if len(m.values) > 32 {
			errs = append(errs, field.TooMany(at.Child(m.name), len(m.values), 32))
		}
	}
	if begins(s.Labels, "p2pstream.dev/", "app.kubernetes.io/") {
		errs = append(errs, field.Invalid(at.Child("labels"), "", "pods.labels must not begin with p2pstream.dev/ or app.kubernetes.io/, which the operator sets"))
	}
	if begins(s.Annotations, "p2pstream.dev/") {
		errs = append(errs, field.Invalid(at.Child("annotations"), "", "pods.annotations must not begin with p2pstream.dev/, which the operator sets"))
	}
	for _, l := range []struct {
		name         string
		length, most int
	}{{"tolerations", len(s.Tolerations), 32}, {"topologySpreadConstraints", len(s.TopologySpreadConstraints), 8},
		{"imagePullSecrets", len(s.ImagePullSecrets), 16}, {"env", len(s.Env), 64}} {
		if l.length > l.most {
			errs = append(errs, field.TooMany(at.Child(l.name), l.length, l.most))
		}
	}
	if _, err := s.PodAffinity(); err != nil {
		errs = append(errs, field.Invalid(at.Child("affinity"), "", err.Error()))
	}
	for i := range s.ImagePullSecrets {
		errs = append(errs, s.ImagePullSecrets[i].validate(at.Child("imagePullSecrets").Index(i).Child("name"))...)
	}
	for i := range s.Env {
		errs = append(errs, s.Env[i].validate(at.Child("env").Index(i), s.Env[:i])...)
	}
	return errs
}

// maxAffinity bounds the bytes of spec.pods.affinity.
const maxAffinity = 64 << 10

// PodAffinity is the affinity of the pods, nil without one. The definition of the resource does not contain its schema, which
// is two thirds as long as all else of it. An error says what a pod cannot have.
func (s *PodsSpec) PodAffinity() (*corev1.Affinity, error) {
	if s.Affinity == nil {
		return nil, nil
	}
	if len(s.Affinity.Raw) > maxAffinity {
		return nil, fmt.Errorf("has %d bytes, which must be %d at most", len(s.Affinity.Raw), maxAffinity)
	}
	d := json.NewDecoder(bytes.NewReader(s.Affinity.Raw))
	d.DisallowUnknownFields()
	var affinity corev1.Affinity
	if err := d.Decode(&affinity); err != nil {
		return nil, fmt.Errorf("must be an affinity as in a pod: %w", err)
	}
	return &affinity, nil
}

func (e *EnvVar) validate(at *field.Path, before []EnvVar) field.ErrorList {
	switch {
	case len(e.Name) > 128 || !envName.MatchString(string(e.Name)):
		return field.ErrorList{field.Invalid(at.Child("name"), string(e.Name), "should match '"+envName.String()+"'")}
	case slices.Contains(ownEnv, e.Name):
		return field.ErrorList{field.Invalid(at.Child("name"), string(e.Name), "pods.env must not set GOMEMLIMIT, POD_IP, HOST_IP or POD_INDEX, which the operator sets")}
	case slices.ContainsFunc(before, func(o EnvVar) bool { return o.Name == e.Name }):
		return field.ErrorList{field.Duplicate(at, string(e.Name))}
	case len(e.Value) > 8192:
		return field.ErrorList{field.TooLong(at.Child("value"), "", 8192)}
	}
	return nil
}

// begins tells whether a key begins with one of the prefixes.
func begins(values map[string]string, prefixes ...string) bool {
	for key := range values {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			return true
		}
	}
	return false
}
