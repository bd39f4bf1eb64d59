package plan

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// Facts are the inputs of a plan besides the stream. The zero value of each field but Image means that it is not
// known yet.
type Facts struct {
	// Image that every pod runs, and when it is pulled. With an empty policy, the API server's default applies.
	Image      string            `json:"image"`
	PullPolicy corev1.PullPolicy `json:"pullPolicy,omitempty"`

	// Pods are the installation's defaults of spec.pods; may be nil.
	Pods *v1.PodsSpec `json:"pods,omitempty"`

	// Installation identifies what an operator brings to a plan by itself: its version, the image, defaults. Workloads are marked
	// with it; empty: they are not.
	Installation string `json:"installation,omitempty"`

	// NetworkPolicies of the components; nil: they have none.
	NetworkPolicies *NetworkPolicies `json:"networkPolicies,omitempty"`

	// Observed is what the API server assigned to the stream's children, such as node ports. A Service that was
	// deleted keeps its entry while its port may be asked for again, so that addresses in use stay valid.
	Observed exposure.Observed `json:"observed,omitempty"`

	// Nodes that are ready, in any order.
	Nodes []Node `json:"nodes,omitempty"`

	// IngressClasses of the cluster, for streams that are exposed by an Ingress.
	IngressClasses *exposure.IngressClasses `json:"ingressClasses,omitempty"`

	// Kinds that a cluster may lack and this one has, the Gateways that the spec names, and the addresses of the tracker's host.
	Kinds    exposure.Kinds              `json:"kinds,omitzero"`
	Gateways map[string]exposure.Gateway `json:"gateways,omitempty"`
	Resolved []string                    `json:"resolved,omitempty"`

	// Issued is what cert-manager says of the tracker's Certificate; nil: there is none.
	Issued *Issued `json:"issued,omitempty"`

	// NodeAddresses are the addresses of nodes on which seeders may run, external ones first, by the node's name. Those
	// of nodes that are not ready are among them. A node whose only address is the one that its pods know is left out.
	NodeAddresses map[string][]string `json:"nodeAddresses,omitempty"`

	// STUNReady tells whether at least one STUN pod of the stream is ready.
	STUNReady bool `json:"stunReady,omitempty"`

	// SeederPods is one more than the highest ordinal of a seeder pod that exists, terminating ones
	// included: a seeder that drains still needs its Service.
	SeederPods int32 `json:"seederPods,omitempty"`

	// Seeders is how many the audience of a stream with spec.seeders.scale gets; nil is the default of replicas. It counts for no
	// other stream.
	Seeders *int32 `json:"seeders,omitempty"`

	// EdgePods is the same as SeederPods for the seeders of sites, by the value of LabelEdge.
	EdgePods map[string]int32 `json:"edgePods,omitempty"`

	// Operators are the hashes of the tokens of who may change the tracker by its admin listener; none: all who reach it.
	Operators []string `json:"operators,omitempty"`

	// Network that the stream is attached to; nil: it has a tracker and STUN servers of its own. The stream is as Attach returns it.
	Network *Attachment `json:"network,omitempty"`

	// Endpoints of the plan before, from the stream's status. Their addresses are kept while they are valid.
	Endpoints *v1.EndpointsStatus `json:"endpoints,omitempty"`
}

// maxSeeders is that of spec.seeders.
const maxSeeders = 64

// reach is the part that exposure strategies read.
func (f Facts) reach() exposure.Facts {
	return exposure.Facts{Nodes: f.Nodes, Observed: f.Observed, IngressClasses: f.IngressClasses,
		Kinds: f.Kinds, Gateways: f.Gateways, Resolved: f.Resolved}
}

// check refuses facts from which no plan can be made.
func (f Facts) check() error {
	if f.Image == "" {
		return errors.New("planning stream: the image of its pods is not set")
	}
	if n := f.Seeders; n != nil && (*n < 0 || *n > maxSeeders) {
		return fmt.Errorf("planning stream: its audience cannot get %d seeders", *n)
	}
	if err := f.Observed.Check(); err != nil {
		return fmt.Errorf("planning stream: %w", err)
	}
	return nil
}
