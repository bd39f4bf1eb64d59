package deploy

import (
	"reflect"
	"slices"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

const policyKey = "NetworkPolicy " + namespace + "/p2pstream-manager"

// TestNetworkPolicies: off by default; on, chart and kustomize install the same policy of the manager, which selects its pod, and
// the manager makes those of streams.
func TestNetworkPolicies(t *testing.T) {
	t.Parallel()
	for name, all := range installations(t) {
		if all[policyKey] != nil || slices.Contains(manager(t, all).Args, "--network-policies") {
			t.Errorf("%s: there are policies by default", name)
		}
	}
	chart := rendered(t, map[string]any{"networkPolicies": map[string]any{"enabled": true}})
	config := built(t, overlay(t, "components: ["+policiesDir+"]\n"))
	specs := map[string]networkingv1.NetworkPolicySpec{}
	for name, all := range map[string]objects{"chart": chart, "kustomize": config} {
		policy := get[networkingv1.NetworkPolicy](t, all, policyKey)
		selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
		if err != nil {
			t.Fatal(err)
		}
		if !selector.Matches(labels.Set(deployment(t, all).Spec.Template.Labels)) {
			t.Errorf("%s: %v does not select the manager's pod", name, policy.Spec.PodSelector)
		}
		if !slices.Contains(manager(t, all).Args, "--network-policies") {
			t.Errorf("%s: the manager makes no policies for streams: %q", name, manager(t, all).Args)
		}
		policy.Spec.PodSelector = metav1.LabelSelector{}
		specs[name] = policy.Spec
	}
	if !reflect.DeepEqual(specs["chart"], specs["kustomize"]) {
		t.Errorf("chart:     %+v\nkustomize: %+v", specs["chart"], specs["kustomize"])
	}
}

func TestNetworkPoliciesOfAnotherCluster(t *testing.T) {
	t.Parallel()
	all := rendered(t, map[string]any{"networkPolicies": map[string]any{"enabled": true, "apiServerPorts": []any{16443}, "origins": []any{"203.0.113.0/24"}}})
	if args := manager(t, all).Args; !slices.Contains(args, "--network-policy-origin=203.0.113.0/24") {
		t.Errorf("the manager runs with %q", args)
	}
	for _, rule := range get[networkingv1.NetworkPolicy](t, all, policyKey).Spec.Egress {
		if len(rule.Ports) == 1 && rule.Ports[0].Port.IntValue() == 16443 {
			return
		}
	}
	t.Error("the manager may not reach an API server at port 16443")
}
