package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// runLabel is set on all objects that a run creates in a cluster; its value names the run.
const runLabel = "p2pstream.dev/demo-run"

var (
	//go:embed manifests/origin.yaml
	originManifest []byte
	//go:embed manifests/office.yaml
	officeManifest []byte
)

// object is one document of a manifest.
type object map[string]any

// parseObjects reads the documents of a manifest.
func parseObjects(manifest []byte) ([]object, error) {
	var all []object
	docs := yamlutil.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifest)))
	for number := 1; ; number++ {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading document %d: %w", number, err)
		}
		var o object
		if err := yaml.Unmarshal(doc, &o); err != nil {
			return nil, fmt.Errorf("decoding document %d: %w", number, err)
		}
		if len(o) > 0 {
			all = append(all, o)
		}
	}
}

// encodeObjects is the opposite of parseObjects.
func encodeObjects(all []object) ([]byte, error) {
	var b bytes.Buffer
	for _, o := range all {
		raw, err := yaml.Marshal(o)
		if err != nil {
			return nil, fmt.Errorf("encoding %s: %w", o.id(), err)
		}
		b.WriteString("---\n")
		b.Write(raw)
	}
	return b.Bytes(), nil
}

func (o object) kind() string { s, _ := o["kind"].(string); return s }

func (o object) name() string { s, _ := o.child("metadata")["name"].(string); return s }

func (o object) namespace() string { s, _ := o.child("metadata")["namespace"].(string); return s }

// id names an object in a message.
func (o object) id() string {
	id := strings.ToLower(o.kind()) + "/" + o.name()
	if ns := o.namespace(); ns != "" {
		id += " in " + ns
	}
	return id
}

// child returns the mapping at a path and creates it if it is missing.
func (o object) child(keys ...string) object {
	at := o
	for _, k := range keys {
		next, ok := at[k].(map[string]any)
		if !ok {
			if next, ok = at[k].(object); !ok {
				next = map[string]any{}
				at[k] = next
			}
		}
		at = next
	}
	return at
}

// label sets runLabel on objects.
func label(all []object, run string) {
	for _, o := range all {
		o.child("metadata", "labels")[runLabel] = run
	}
}

// setImage sets the image of all p2pstream containers, and the image that the operator gives to the pods of
// streams.
func setImage(all []object, image string) {
	for _, o := range all {
		if !slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet", "Job"}, o.kind()) {
			continue
		}
		containers, _ := o.child("spec", "template", "spec")["containers"].([]any)
		for _, c := range containers {
			if container, ok := c.(map[string]any); ok {
				setContainerImage(container, image)
			}
		}
	}
}

func setContainerImage(container map[string]any, image string) {
	old, _ := container["image"].(string)
	if imageName(old) != "p2pstream" {
		return
	}
	container["image"] = image
	env, _ := container["env"].([]any)
	for _, e := range env {
		if v, ok := e.(map[string]any); ok && v["name"] == "P2PSTREAM_IMAGE" {
			v["value"] = image
		}
	}
	args, _ := container["args"].([]any)
	for i, a := range args {
		if text, ok := a.(string); ok && strings.HasPrefix(text, "--image=") {
			args[i] = "--image=" + image
		}
	}
}

// imageName is the last part of an image's name, without tag and digest.
func imageName(image string) string {
	name, _, _ := strings.Cut(path.Base(image), "@")
	name, _, _ = strings.Cut(name, ":")
	return name
}

// namespaceObject is a namespace that enforces Pod Security "restricted".
func namespaceObject(name string) object {
	return object{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": name, "labels": map[string]any{"pod-security.kubernetes.io/enforce": "restricted"}},
	}
}

// officeObjects are the objects of one office in an existing cluster: a namespace, and a Deployment of the viewers of each stream.
func officeObjects(namespace string, of []audience) ([]object, error) {
	var all []object
	for i, a := range of {
		some, err := parseObjects(officeManifest)
		if err != nil {
			return nil, fmt.Errorf("reading the manifest of an office: %w", err)
		}
		for _, o := range some {
			meta := o.child("metadata")
			if o.kind() == "Namespace" {
				if meta["name"] = namespace; i == 0 {
					all = append(all, o)
				}
				continue
			}
			meta["namespace"], meta["name"] = namespace, "viewer-"+a.stream
			o.child("spec")["replicas"] = a.viewers
			for _, labels := range []object{o.child("spec", "selector", "matchLabels"), o.child("spec", "template", "metadata", "labels")} {
				labels["app.kubernetes.io/instance"] = a.stream
			}
			containers, _ := o.child("spec", "template", "spec")["containers"].([]any)
			for _, c := range containers {
				if container, ok := c.(map[string]any); ok {
					container["args"] = []any{"viewer", "--headless", "--config-url=" + a.configURL}
				}
			}
			all = append(all, o)
		}
	}
	return all, nil
}
