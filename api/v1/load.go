package v1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// MaxManifestSize bounds a manifest, in bytes.
const MaxManifestSize = 1 << 20

// LoadFile reads and validates the one P2PStream of a manifest file. Documents of other kinds are
// skipped. Unknown fields, duplicate keys and values that the CRD would refuse are errors that name the
// field.
func LoadFile(path string) (*P2PStream, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening manifest: %w", err)
	}
	defer f.Close() //nolint:errcheck // opened for reading only
	stream, err := Load(f)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", path, err)
	}
	return stream, nil
}

// Load is LoadFile for any reader.
func Load(r io.Reader) (*P2PStream, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxManifestSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	if len(data) > MaxManifestSize {
		return nil, fmt.Errorf("larger than %d bytes", MaxManifestSize)
	}
	var found *P2PStream
	var others []string
	docs := yamlutil.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for number := 1; ; number++ {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", number, err)
		}
		stream, kind, err := decode(doc)
		switch {
		case err != nil:
			return nil, fmt.Errorf("document %d: %w", number, err)
		case stream == nil && kind != "":
			others = append(others, kind)
		case stream != nil && found != nil:
			return nil, fmt.Errorf("document %d: a second %s; a file may hold only one", number, Kind)
		case stream != nil:
			found = stream
		}
	}
	if found == nil {
		if len(others) > 0 {
			return nil, fmt.Errorf("it contains no %s, only %s", Kind, strings.Join(others, ", "))
		}
		return nil, fmt.Errorf("it contains no %s", Kind)
	}
	if errs := found.Validate(); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	return found, nil
}

// decode returns the stream of one document, or its kind when it is something else.
func decode(doc []byte) (*P2PStream, string, error) {
	raw, err := yaml.YAMLToJSONStrict(doc)
	if err != nil {
		return nil, "", fmt.Errorf("decoding: %w", err)
	}
	if bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return nil, "", nil
	}
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := json.UnmarshalCaseSensitivePreserveInts(raw, &head); err != nil {
		return nil, "", fmt.Errorf("decoding: %w", err)
	}
	switch {
	case head.Kind == "":
		return nil, "", fmt.Errorf("kind: missing; use %s", Kind)
	case head.Kind != Kind:
		return nil, head.Kind, nil
	case head.APIVersion != GroupVersion.String():
		return nil, "", fmt.Errorf("apiVersion: %q is not supported; use %s", head.APIVersion, GroupVersion)
	}
	if err := checkScalars(raw); err != nil {
		return nil, "", err
	}
	stream := &P2PStream{}
	strict, err := json.UnmarshalStrict(raw, stream)
	if err != nil {
		return nil, "", fmt.Errorf("decoding: %w", err)
	}
	if len(strict) > 0 {
		return nil, "", errors.Join(strict...)
	}
	return stream, Kind, nil
}

// checkScalars checks the values whose decoders return errors that do not name the field.
func checkScalars(raw []byte) error {
	var probe struct {
		Spec struct {
			Source struct {
				URL any `json:"url"`
			} `json:"source"`
			Seeders struct {
				CacheSize any `json:"cacheSize"`
			} `json:"seeders"`
			Telemetry struct {
				Interval any `json:"interval"`
			} `json:"telemetry"`
			Sites sitesProbe `json:"sites"`
		} `json:"spec"`
	}
	if err := json.UnmarshalCaseSensitivePreserveInts(raw, &probe); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	if probe.Spec.Source.URL == nil {
		return errors.New("spec.source.url: Required value")
	}
	if v := probe.Spec.Seeders.CacheSize; v != nil {
		if _, err := resource.ParseQuantity(fmt.Sprint(v)); err != nil {
			return fmt.Errorf("spec.seeders.cacheSize: %q is not a quantity; use a number of bytes such as 512Mi", fmt.Sprint(v))
		}
	}
	if v := probe.Spec.Telemetry.Interval; v != nil {
		if _, err := time.ParseDuration(fmt.Sprint(v)); err != nil {
			return fmt.Errorf("spec.telemetry.interval: %q is not a duration; use one such as 5s", fmt.Sprint(v))
		}
	}
	return probe.Spec.Sites.check("spec.sites")
}
