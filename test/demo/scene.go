package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// networkManifest is what the demo runs unless the user has a stream of their own.
//
//go:embed manifests/network.yaml
var networkManifest []byte

// networkPath is where it is in a checkout, for messages.
const networkPath = "test/demo/manifests/network.yaml"

// scene is what a run creates and shows.
type scene struct {
	network *v1.P2PNetwork // nil: the stream has a tracker of its own
	streams []*v1.P2PStream
	changes []change
}

// sharedScene is a network with its streams. Their origin is at a URL of the demo's, with the paths of the manifest, and all are
// in one namespace if that is given.
func sharedScene(manifest []byte, namespace, origin string) (*scene, error) {
	s, err := readScene(manifest)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(origin)
	if err != nil {
		return nil, fmt.Errorf("reading the origin's URL: %w", err)
	}
	note := func(of, field, was, is string) {
		if was != is {
			s.changes = append(s.changes, change{of + " " + field, compact(was), compact(is)})
		}
	}
	if namespace != "" {
		note(s.network.Name, "metadata.namespace", s.network.Namespace, namespace)
		s.network.Namespace = namespace
	}
	for _, stream := range s.streams {
		if namespace != "" {
			note(stream.Name, "metadata.namespace", stream.Namespace, namespace)
			stream.Namespace = namespace
			stream.Spec.NetworkRef.Namespace = v1.NamespaceName(namespace)
		}
		source, err := url.Parse(string(stream.Spec.Source.URL))
		if err != nil {
			return nil, fmt.Errorf("reading spec.source.url of %s: %w", stream.Name, err)
		}
		source.Scheme, source.Host = base.Scheme, base.Host
		note(stream.Name, "spec.source.url", string(stream.Spec.Source.URL), source.String())
		stream.Spec.Source.URL = v1.URL(source.String())
	}
	return s, nil
}

// readScene reads a network and streams that name it.
func readScene(manifest []byte) (*scene, error) {
	s := &scene{}
	docs := yamlutil.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifest)))
	for number := 1; ; number++ {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = s.add(doc)
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", number, err)
		}
	}
	if s.network == nil || len(s.streams) == 0 {
		return nil, errors.New("it has no network, or no stream")
	}
	for _, stream := range s.streams {
		ref := stream.Spec.NetworkRef
		if ref == nil || string(ref.Name) != s.network.Name || string(ref.Namespace) != s.network.Namespace {
			return nil, fmt.Errorf("spec.networkRef of %s does not name the network", stream.Name)
		}
	}
	return s, nil
}

// add adds the network or the stream of a document.
func (s *scene) add(doc []byte) error {
	var head struct {
		Kind string `json:"kind"`
	}
	if err := yaml.Unmarshal(doc, &head); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	if head.Kind != v1.NetworkKind {
		stream, err := v1.Load(bytes.NewReader(doc))
		if err != nil {
			return err
		}
		s.streams = append(s.streams, stream)
		return nil
	}
	if s.network != nil {
		return errors.New("a second network")
	}
	s.network = &v1.P2PNetwork{}
	if err := yaml.UnmarshalStrict(doc, s.network); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	if errs := s.network.Validate(); len(errs) > 0 {
		return errs.ToAggregate()
	}
	return nil
}

// title names it in a step.
func (s *scene) title() string {
	names := make([]string, 0, len(s.streams))
	for _, stream := range s.streams {
		names = append(names, stream.Name)
	}
	text := "the stream " + strings.Join(names, " and ")
	if s.network != nil {
		text = "the network " + s.network.Name + " with streams " + strings.Join(names, " and ")
	}
	return text
}

// objects are the namespaces, but for one that exists, and then the network and the streams.
func (s *scene) objects(exists string) ([]object, error) {
	var namespaces, all []object
	known := []string{exists}
	add := func(namespace string, of any) error {
		if !slices.Contains(known, namespace) {
			known = append(known, namespace)
			namespaces = append(namespaces, namespaceObject(namespace))
		}
		o, err := specObject(of)
		all = append(all, o)
		return err
	}
	if s.network != nil {
		if err := add(s.network.Namespace, s.network); err != nil {
			return nil, err
		}
	}
	for _, stream := range s.streams {
		if err := add(stream.Namespace, stream); err != nil {
			return nil, err
		}
	}
	return append(namespaces, all...), nil
}
