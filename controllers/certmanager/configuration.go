package certmanager

import metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

// ApplyConfiguration is what is applied of a Certificate.
type ApplyConfiguration struct {
	metav1ac.TypeMetaApplyConfiguration    `json:",inline"`
	*metav1ac.ObjectMetaApplyConfiguration `json:"metadata,omitempty"`

	Spec *CertificateSpec `json:"spec,omitempty"`
}

// New returns the configuration of a Certificate.
func New(name, namespace string, labels map[string]string, owner *metav1ac.OwnerReferenceApplyConfiguration, spec CertificateSpec) *ApplyConfiguration {
	c := &ApplyConfiguration{ObjectMetaApplyConfiguration: &metav1ac.ObjectMetaApplyConfiguration{}, Spec: &spec}
	c.TypeMetaApplyConfiguration.WithKind(Kind).WithAPIVersion(GroupVersion.String())
	c.ObjectMetaApplyConfiguration.WithName(name).WithNamespace(namespace).WithLabels(labels).WithOwnerReferences(owner)
	return c
}

// IsApplyConfiguration implements runtime.ApplyConfiguration.
func (c *ApplyConfiguration) IsApplyConfiguration() {}

// GetKind returns the kind.
func (c *ApplyConfiguration) GetKind() *string { return c.Kind }

// GetAPIVersion returns group and version.
func (c *ApplyConfiguration) GetAPIVersion() *string { return c.APIVersion }

// GetName returns the name.
func (c *ApplyConfiguration) GetName() *string { return c.Name }

// GetNamespace returns the namespace.
func (c *ApplyConfiguration) GetNamespace() *string { return c.Namespace }
