package main

import (
	"bytes"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// clusterScoped are the resources of the manager's rules that are cluster-scoped, or of whatever namespace streams name: where the manager watches only
// some namespaces, these alone still need a ClusterRole.
var clusterScoped = []string{"nodes", "ingressclasses", "gateways", "namespaces"}

const rulesHead = `{{- /* Made from config/rbac by tools/chartsync: change that instead, then run make chart. */}}
`

// rulesTemplate makes one named template of each role's rules, with their comments.
func rulesTemplate(read func(string) ([]byte, error)) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(rulesHead)
	for _, role := range []struct{ file, name string }{
		{"manager_role.yaml", "manager"}, {"leader_role.yaml", "leader"}, {"view_role.yaml", "view"}, {"edit_role.yaml", "edit"},
	} {
		raw, err := read("config/rbac/" + role.file)
		if err != nil {
			return nil, err
		}
		rules, err := rulesOf(raw)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", role.file, err)
		}
		parts := map[string][]*yaml.Node{role.name: rules}
		if role.name == "manager" {
			if parts, err = split(rules); err != nil {
				return nil, fmt.Errorf("reading %s: %w", role.file, err)
			}
		}
		for _, name := range []string{role.name, "manager.namespaced", "manager.cluster"} {
			if parts[name] == nil {
				continue
			}
			if err := define(&out, name, parts[name]); err != nil {
				return nil, err
			}
		}
	}
	return out.Bytes(), nil
}

// rulesOf returns the nodes of a role's rules, which carry their comments.
func rulesOf(raw []byte) ([]*yaml.Node, error) {
	var doc struct {
		Rules yaml.Node `yaml:"rules"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	if len(doc.Rules.Content) == 0 {
		return nil, fmt.Errorf("no rules found")
	}
	return doc.Rules.Content, nil
}

// split separates the manager's rules for namespaced resources from those for cluster-scoped ones.
func split(rules []*yaml.Node) (map[string][]*yaml.Node, error) {
	parts := map[string][]*yaml.Node{}
	for _, rule := range rules {
		var r struct {
			Resources []string `yaml:"resources"`
		}
		if err := rule.Decode(&r); err != nil {
			return nil, err
		}
		outside := 0
		for _, resource := range r.Resources {
			if slices.Contains(clusterScoped, resource) {
				outside++
			}
		}
		switch outside {
		case 0:
			parts["manager.namespaced"] = append(parts["manager.namespaced"], rule)
		case len(r.Resources):
			parts["manager.cluster"] = append(parts["manager.cluster"], rule)
		default:
			return nil, fmt.Errorf("rule for %v: put namespaced and cluster-scoped resources into separate rules", r.Resources)
		}
	}
	return parts, nil
}

func define(out *bytes.Buffer, name string, rules []*yaml.Node) error {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(&yaml.Node{Kind: yaml.SequenceNode, Content: rules}); err != nil {
		return fmt.Errorf("writing rules of %s: %w", name, err)
	}
	if err := encoder.Close(); err != nil {
		return fmt.Errorf("writing rules of %s: %w", name, err)
	}
	// Two releases in one namespace have a Lease each.
	lease := bytes.ReplaceAll(text.Bytes(), []byte("resourceNames: [p2pstream-manager]"), []byte(`resourceNames: [{{ include "p2pstream.manager" . | quote }}]`))
	fmt.Fprintf(out, "\n{{- define \"p2pstream.rules.%s\" -}}\n%s{{- end -}}\n", name, lease)
	return nil
}
