package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// maxFields that a message about a contested object names.
const maxFields = 3

// contest is the problem of an object that another field manager changes whenever it was changed back. It looks at the object before it is
// changed back again.
func (p *pass) contest(ctx context.Context, object plan.Object) *diagnose.Problem {
	who, what := "Something", "changes or deletes"
	if manager, fields := blame(p.writers(ctx, object.Ref), decoded(object.Apply)); manager != "" {
		who, what = fmt.Sprintf("Field manager %q", diagnose.Clean(manager)), "changes "+diagnose.Clean(strings.Join(firstFields(fields), ", "))+" of"
	}
	return &diagnose.Problem{Component: component(object.Ref), Reason: v1.ReasonContested, Stalls: true, Message: fmt.Sprintf(
		"%s %s %s %s whenever the operator has changed it back. Stop it from doing so, or change the spec of the stream; the operator tries again at least once a minute.",
		who, what, object.Kind, object.Name)}
}

func firstFields(fields []string) []string {
	if len(fields) <= maxFields {
		return fields
	}
	return append(slices.Clone(fields[:maxFields]), fmt.Sprintf("%d more", len(fields)-maxFields))
}

// writers reads who has written which fields of an object; nil when that cannot be read.
func (p *pass) writers(ctx context.Context, ref plan.Ref) []metav1.ManagedFieldsEntry {
	found := &metav1.PartialObjectMetadata{}
	found.SetGroupVersionKind(gvk(ref.Kind))
	if err := p.Live.Get(ctx, client.ObjectKey{Namespace: p.Owner.GetNamespace(), Name: ref.Name}, found); err != nil {
		return nil // a message without a name is better than none
	}
	return found.ManagedFields
}

// blame finds the manager that owns fields which the plan sets and we do not own any more. Without any, such as after a field was
// removed, it is the manager that wrote last.
func blame(writers []metav1.ManagedFieldsEntry, planned any) (manager string, fields []string) {
	ours := fieldpath.NewSet()
	for _, w := range writers {
		if w.Manager == FieldOwner && w.Subresource == "" {
			ours = ours.Union(setOf(w))
		}
	}
	var latest *metav1.ManagedFieldsEntry
	for i := range writers {
		w := &writers[i]
		if w.Manager == FieldOwner || w.Subresource != "" {
			continue
		}
		if latest == nil || latest.Time.Before(w.Time) {
			latest = w
		}
		var taken []string
		setOf(*w).Difference(ours).Leaves().Iterate(func(path fieldpath.Path) {
			if sets(planned, path) {
				taken = append(taken, strings.TrimPrefix(path.String(), "."))
			}
		})
		if len(taken) > 0 && (fields == nil || latest == w) {
			manager, fields = w.Manager, taken
		}
	}
	if manager == "" && latest != nil {
		return latest.Manager, []string{"a field that it removes"}
	}
	return manager, fields
}

func setOf(entry metav1.ManagedFieldsEntry) *fieldpath.Set {
	set := fieldpath.NewSet()
	if entry.FieldsV1 != nil && set.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())) != nil {
		return fieldpath.NewSet()
	}
	return set
}

// sets tells whether a configuration, decoded from JSON, sets the field at a path.
func sets(config any, path fieldpath.Path) bool {
	for _, element := range path {
		switch {
		case element.FieldName != nil:
			fields, is := config.(map[string]any)
			if config, is = fields[*element.FieldName], is && fields[*element.FieldName] != nil; !is {
				return false
			}
		case element.Key != nil:
			items, _ := config.([]any)
			at := slices.IndexFunc(items, func(item any) bool { return hasKey(item, element) })
			if at < 0 {
				return false
			}
			config = items[at]
		default:
			return true // an item of a set, or of a list that is replaced as a whole
		}
	}
	return true
}

// hasKey tells whether an item of a list has the key of a path. A key that the item leaves out has its default.
func hasKey(item any, element fieldpath.PathElement) bool {
	fields, is := item.(map[string]any)
	if !is {
		return false
	}
	for _, key := range *element.Key {
		value, given := fields[key.Name]
		if given && fmt.Sprint(value) != fmt.Sprint(key.Value.Unstructured()) {
			return false
		}
	}
	return true
}

// decoded is a configuration as JSON has it; nil when it has none.
func decoded(config runtime.ApplyConfiguration) any {
	raw, err := json.Marshal(config)
	if err != nil {
		return nil
	}
	var decoded any
	if json.Unmarshal(raw, &decoded) != nil {
		return nil
	}
	return decoded
}
