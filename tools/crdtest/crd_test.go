package crdtest

import (
	"cmp"
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

const (
	crdFile     = "../../config/crd/p2pstream.dev_p2pstreams.yaml"
	networkFile = "../../config/crd/p2pstream.dev_p2pnetworks.yaml"
	// maxSize keeps client-side apply possible, whose annotation holds the whole object as JSON.
	maxSize = 100_000
)

func readCRD(t *testing.T, file string) *apiextensions.CustomResourceDefinition {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v1 apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(raw, &v1); err != nil {
		t.Fatal(err)
	}
	apiextensionsv1.SetDefaults_CustomResourceDefinition(&v1)
	apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&v1.Spec)
	v1.Status.StoredVersions = []string{"v1"}
	var crd apiextensions.CustomResourceDefinition
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&v1, &crd, nil); err != nil {
		t.Fatal(err)
	}
	return &crd
}

func TestCRDIsAccepted(t *testing.T) {
	t.Parallel()
	for _, file := range []string{crdFile, networkFile} {
		for _, err := range crdvalidation.ValidateCustomResourceDefinition(context.Background(), readCRD(t, file)) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestCRDIsSmall(t *testing.T) {
	t.Parallel()
	for _, file := range []string{crdFile, networkFile} {
		written, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		applied, err := yaml.YAMLToJSON(written)
		if err != nil {
			t.Fatal(err)
		}
		if len(applied) >= maxSize {
			t.Errorf("%s is %d bytes as JSON, want below %d", file, len(applied), maxSize)
		}
	}
}

func TestGeneratedFilesAreUpToDate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	generator := filepath.Join(dir, "controller-gen")
	build := exec.Command("go", "build", "-o", generator, "sigs.k8s.io/controller-tools/cmd/controller-gen")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building controller-gen: %v\n%s", err, out)
	}
	run := exec.Command(generator, "object", "crd", "paths=./api/...",
		"output:crd:artifacts:config="+dir, "output:object:dir="+dir)
	run.Dir = "../.."
	run.Env = append(os.Environ(), "PWD=")
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("running controller-gen: %v\n%s", err, out)
	}
	for made, kept := range map[string]string{
		"p2pstream.dev_p2pstreams.yaml":  crdFile,
		"p2pstream.dev_p2pnetworks.yaml": networkFile,
		"zz_generated.deepcopy.go":       "../../api/v1/zz_generated.deepcopy.go",
	} {
		want, err := os.ReadFile(filepath.Join(dir, made))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(kept)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s is not what api/v1 generates; run: make generate", kept)
		}
	}
}

type validator struct {
	schema  *schema.Structural
	openAPI validation.SchemaValidator
	rules   *cel.Validator
}

func newValidator(t *testing.T, file string) validator {
	t.Helper()
	crd := readCRD(t, file)
	props := crd.Spec.Validation
	if props == nil {
		props = crd.Spec.Versions[0].Schema
	}
	structural, err := schema.NewStructural(props.OpenAPIV3Schema)
	if err != nil {
		t.Fatal(err)
	}
	openAPI, _, err := validation.NewSchemaValidator(props.OpenAPIV3Schema)
	if err != nil {
		t.Fatal(err)
	}
	return validator{structural, openAPI, cel.NewValidator(structural, true, math.MaxInt64)}
}

func (v validator) validate(object map[string]any) field.ErrorList {
	errs := validation.ValidateCustomResource(nil, object, v.openAPI)
	if len(errs) > 0 {
		return errs // as the API server: rules run on what the schema accepts
	}
	errs = listtype.ValidateListSetsAndMaps(nil, v.schema, object)
	if len(errs) > 0 {
		return errs
	}
	errs, _ = v.rules.Validate(context.Background(), nil, v.schema, object, nil, math.MaxInt64)
	return errs
}

func object(name string, spec map[string]any) map[string]any {
	return map[string]any{"apiVersion": "p2pstream.dev/v1", "kind": "P2PStream", "metadata": map[string]any{"name": name}, "spec": spec}
}

func TestRules(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../api/v1/testdata/validation.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name   string         `json:"name"`
		Stream string         `json:"stream"`
		Spec   map[string]any `json:"spec"`
		Want   string         `json:"want"`
	}
	if err := yaml.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	v := newValidator(t, crdFile)
	for _, tt := range cases {
		t.Run(tt.Name, func(t *testing.T) {
			t.Parallel()
			errs := v.validate(object(cmp.Or(tt.Stream, "a"), wholeNumbers(tt.Spec).(map[string]any)))
			err := errs.ToAggregate()
			switch {
			case tt.Want == "" && err != nil:
				t.Errorf("rules = %v, want none", err)
			case tt.Want != "" && (err == nil || !strings.Contains(err.Error(), tt.Want)):
				t.Errorf("rules = %v, want %q", err, tt.Want)
			}
		})
	}
}

func TestRulesOfNetworks(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../api/v1/testdata/networks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name    string         `json:"name"`
		Network string         `json:"network"`
		Spec    map[string]any `json:"spec"`
		Want    string         `json:"want"`
	}
	if err := yaml.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	v := newValidator(t, networkFile)
	for _, tt := range cases {
		t.Run(tt.Name, func(t *testing.T) {
			t.Parallel()
			network := object(cmp.Or(tt.Network, "a"), wholeNumbers(tt.Spec).(map[string]any))
			network["kind"] = "P2PNetwork"
			err := v.validate(network).ToAggregate()
			if (err == nil) != (tt.Want == "") || err != nil && !strings.Contains(err.Error(), tt.Want) {
				t.Errorf("rules = %v, want %q", err, tt.Want)
			}
		})
	}
}

func TestSamplesAreAccepted(t *testing.T) {
	t.Parallel()
	samples, err := filepath.Glob("../../config/samples/p2p*_*.yaml")
	if err != nil || len(samples) == 0 {
		t.Fatalf("samples: %v, %v", samples, err)
	}
	for _, file := range samples {
		v := newValidator(t, crdFile)
		if strings.HasPrefix(filepath.Base(file), "p2pnetwork") {
			v = newValidator(t, networkFile)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var o map[string]any
		if err := yaml.UnmarshalStrict(raw, &o); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if unknown := pruning.PruneWithOptions(o, v.schema, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}); len(unknown) > 0 {
			t.Errorf("%s: unknown fields %v", file, unknown)
		}
		if err := v.validate(wholeNumbers(o).(map[string]any)).ToAggregate(); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestScaleSubresource(t *testing.T) {
	t.Parallel()
	scale := readCRD(t, crdFile).Spec.Versions[0].Subresources
	if scale == nil || scale.Scale == nil {
		scale = readCRD(t, crdFile).Spec.Subresources
	}
	if scale == nil || scale.Scale == nil {
		t.Fatal("no scale subresource")
	}
	got := *scale.Scale
	if got.SpecReplicasPath != ".spec.seeders.replicas" || got.StatusReplicasPath != ".status.seeders.replicas" ||
		got.LabelSelectorPath == nil || *got.LabelSelectorPath != ".status.seeders.selector" {
		t.Errorf("scale = %+v", got)
	}
}

func TestStatusDefaultsToUnknown(t *testing.T) {
	t.Parallel()
	v := newValidator(t, crdFile)
	o := object("a", map[string]any{"source": map[string]any{"url": "http://o/m.m3u8"}})
	defaulting.Default(o, v.schema)
	status, _ := o["status"].(map[string]any)
	conditions, _ := status["conditions"].([]any)
	ready := false
	for _, c := range conditions {
		c := c.(map[string]any)
		if c["status"] != "Unknown" || c["reason"] != "Pending" {
			t.Errorf("condition %v, want Unknown and Pending", c)
		}
		ready = ready || c["type"] == "Ready"
	}
	if !ready {
		t.Errorf("no Ready among %v", conditions)
	}
	if errs := v.validate(o); len(errs) > 0 {
		t.Errorf("the defaulted object is refused: %v", errs)
	}
}

// wholeNumbers makes integers of the floats that a JSON decoder makes of every number.
func wholeNumbers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for k := range value {
			value[k] = wholeNumbers(value[k])
		}
	case []any:
		for i := range value {
			value[i] = wholeNumbers(value[i])
		}
	case float64:
		return int64(value)
	}
	return value
}
