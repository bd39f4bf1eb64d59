package deploy

import (
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

// installations are all ways by which roles are installed.
func installations(t *testing.T) map[string]objects {
	t.Helper()
	return map[string]objects{
		"kustomize":               built(t, defaultDir),
		"chart":                   rendered(t, nil),
		"chart, a few namespaces": rendered(t, map[string]any{"watchNamespaces": []any{"media", "events"}}),
	}
}

// rulesOf returns the rules of every role, by its key.
func rulesOf(t *testing.T, all objects) map[string][]rbacv1.PolicyRule {
	t.Helper()
	rules := map[string][]rbacv1.PolicyRule{}
	for key, object := range all {
		switch object.GetKind() {
		case "ClusterRole":
			rules[key] = get[rbacv1.ClusterRole](t, all, key).Rules
		case "Role":
			rules[key] = get[rbacv1.Role](t, all, key).Rules
		}
	}
	return rules
}

func TestRolesGiveNoMoreThanNeeded(t *testing.T) {
	t.Parallel()
	for name, all := range installations(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			roles := rulesOf(t, all)
			if len(roles) < 4 {
				t.Fatalf("found %d roles, want those of the manager, its Lease, viewers and editors", len(roles))
			}
			for role, rules := range roles {
				for _, rule := range rules {
					checkRule(t, role, rule)
				}
			}
		})
	}
}

func checkRule(t *testing.T, role string, rule rbacv1.PolicyRule) {
	t.Helper()
	words := slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs, rule.NonResourceURLs)
	if slices.ContainsFunc(words, func(s string) bool { return strings.Contains(s, "*") }) {
		t.Errorf("%s has a wildcard: %+v", role, rule)
	}
	for _, verb := range []string{"escalate", "bind", "impersonate"} {
		if slices.Contains(rule.Verbs, verb) {
			t.Errorf("%s may %s: %+v", role, verb, rule)
		}
	}
	if slices.Contains(rule.Resources, "secrets") && !slices.Equal(rule.Verbs, []string{"create"}) {
		t.Errorf("%s may %v Secrets; they are created, never read", role, rule.Verbs)
	}
	for _, resource := range rule.Resources {
		if strings.HasPrefix(resource, "pods/") || slices.Contains(rule.APIGroups, "rbac.authorization.k8s.io") {
			t.Errorf("%s reaches %s: %+v", role, resource, rule)
		}
	}
	people := strings.HasSuffix(role, "-edit") || strings.HasSuffix(role, "-view")
	writes := slices.ContainsFunc(rule.Verbs, func(v string) bool { return v != "get" && v != "list" && v != "watch" })
	if slices.Contains(rule.Resources, "p2pstreams") && writes && !people {
		t.Errorf("%s may %v streams, which belong to users", role, rule.Verbs)
	}
	if slices.Contains(rule.Resources, "p2pnetworks") && writes && !people && !slices.Equal(rule.Verbs, []string{"get", "list", "watch", "patch"}) {
		t.Errorf("%s may %v networks; it sets a finalizer, and no more", role, rule.Verbs)
	}
	if (slices.Contains(rule.Resources, "p2pstreams/status") || slices.Contains(rule.Resources, "p2pnetworks/status")) && writes && people {
		t.Errorf("%s may %v the status, which only the manager writes", role, rule.Verbs)
	}
}

func TestFewNamespacesNeedNoClusterWideRights(t *testing.T) {
	t.Parallel()
	all := rendered(t, map[string]any{"watchNamespaces": []any{"media", "2024"}})
	wide := get[rbacv1.ClusterRole](t, all, "ClusterRole /p2pstream-manager")
	for _, rule := range wide.Rules {
		if len(rule.Resources) != 1 || !slices.Contains([]string{"nodes", "ingressclasses", "gateways", "namespaces"}, rule.Resources[0]) {
			t.Errorf("the ClusterRole reaches %v, want nodes, IngressClasses, Gateways and the labels of namespaces alone", rule.Resources)
		}
	}
	full := rulesOf(t, built(t, defaultDir))["ClusterRole /p2pstream-manager"]
	for _, ns := range []string{"media", "2024"} {
		role := get[rbacv1.Role](t, all, "Role "+ns+"/p2pstream-manager")
		if got, want := len(role.Rules)+len(wide.Rules), len(full); got != want {
			t.Errorf("%s: %d rules in all, want %d", ns, got, want)
		}
		binding := get[rbacv1.RoleBinding](t, all, "RoleBinding "+ns+"/p2pstream-manager")
		if want := (rbacv1.Subject{Kind: "ServiceAccount", Name: "p2pstream-manager", Namespace: namespace}); len(binding.Subjects) != 1 || binding.Subjects[0] != want {
			t.Errorf("%s: bound to %v, want %v", ns, binding.Subjects, want)
		}
	}
	args := manager(t, all).Args
	for _, want := range []string{"--watch-namespace=media", "--watch-namespace=2024"} {
		if !slices.Contains(args, want) {
			t.Errorf("the manager runs with %q, want %s", args, want)
		}
	}
}

// A team that owns namespaces and nothing of the cluster can install the chart.
func TestNoRightsInTheClusterAtAll(t *testing.T) {
	t.Parallel()
	all := rendered(t, map[string]any{"watchNamespaces": []any{"media"}, "rbac": map[string]any{"nodes": false, "aggregate": false},
		"crds": map[string]any{"enabled": false}})
	for key, object := range all {
		if strings.HasPrefix(object.GetKind(), "Cluster") || object.GetNamespace() == "" {
			t.Errorf("the chart creates %s", key)
		}
	}
	get[rbacv1.Role](t, all, "Role media/p2pstream-manager")
	wide := rendered(t, map[string]any{"rbac": map[string]any{"nodes": false}})
	for _, rule := range get[rbacv1.ClusterRole](t, wide, "ClusterRole /p2pstream-manager").Rules {
		if slices.Contains(rule.Resources, "nodes") {
			t.Errorf("the manager may %v nodes", rule.Verbs)
		}
	}
}

// Roles have no effect without a matching binding.
func TestBindingsReachTheManager(t *testing.T) {
	t.Parallel()
	for name, all := range installations(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account := deployment(t, all).Spec.Template.Spec.ServiceAccountName
			if all["ServiceAccount "+namespace+"/"+account] == nil {
				t.Errorf("the manager runs as %s, which is not created", account)
			}
			bound := 0
			for key, object := range all {
				var binding rbacv1.RoleBinding
				switch object.GetKind() {
				case "RoleBinding":
					binding = get[rbacv1.RoleBinding](t, all, key)
				case "ClusterRoleBinding":
					binding = rbacv1.RoleBinding(get[rbacv1.ClusterRoleBinding](t, all, key))
				default:
					continue
				}
				bound++
				role := binding.RoleRef.Kind + " " + object.GetNamespace() + "/" + binding.RoleRef.Name
				if all[role] == nil {
					t.Errorf("%s grants %s, which is not created", key, role)
				}
				if len(binding.Subjects) != 1 || binding.Subjects[0].Name != account || binding.Subjects[0].Namespace != namespace {
					t.Errorf("%s is for %v, want %s in %s", key, binding.Subjects, account, namespace)
				}
			}
			if bound < 2 {
				t.Errorf("found %d bindings, want at least those of the manager and of its Lease", bound)
			}
		})
	}
}
