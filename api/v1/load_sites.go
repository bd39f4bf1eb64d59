package v1

import (
	"errors"
	"fmt"
	"io"

	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// LoadSites reads and validates a YAML or JSON text that holds spec.sites of a stream, or the value of it. Unknown fields and
// values that the CRD would refuse are errors that name the field.
func LoadSites(r io.Reader) (*SitesSpec, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxManifestSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	if len(data) > MaxManifestSize {
		return nil, fmt.Errorf("larger than %d bytes", MaxManifestSize)
	}
	raw, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return nil, fmt.Errorf("decoding: %w", err)
	}
	// Both forms are read at once: no field of a map of sites is called sites.
	var file struct {
		SitesSpec `json:",inline"`
		Sites     *SitesSpec `json:"sites"`
	}
	var probe struct {
		sitesProbe
		Sites sitesProbe `json:"sites"`
	}
	if err := json.UnmarshalCaseSensitivePreserveInts(raw, &probe); err != nil {
		return nil, fmt.Errorf("decoding: %w", err)
	}
	if err := errors.Join(probe.check("sites"), probe.Sites.check("sites")); err != nil {
		return nil, err
	}
	strict, err := json.UnmarshalStrict(raw, &file)
	if err != nil {
		return nil, fmt.Errorf("decoding: %w", err)
	}
	if len(strict) > 0 {
		return nil, errors.Join(strict...)
	}
	out := &file.SitesSpec
	if file.Sites != nil {
		if len(out.List) > 0 || out.Mask != nil || out.Fallback != nil || out.MapRef != nil {
			return nil, errors.New("sites: stands beside fields of its own; put them into it")
		}
		out = file.Sites
	}
	if errs := out.Validate(); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	return out, nil
}

// sitesProbe holds the policies of sites as they are in a file.
type sitesProbe struct {
	Fallback struct {
		Peering any `json:"peering"`
	} `json:"fallback"`
	List []struct {
		Peering any `json:"peering"`
	} `json:"list"`
}

// check returns an error for a policy that YAML has read as a boolean (YAML 1.1, type bool).
func (p sitesProbe) check(at string) error {
	off := func(field string, value any) error {
		if value != false {
			return nil
		}
		return fmt.Errorf("%s.peering: YAML reads Off without quotes as false; quote it, \"Off\", or write Disabled", field)
	}
	for i, s := range p.List {
		if err := off(fmt.Sprintf("%s.list[%d]", at, i), s.Peering); err != nil {
			return err
		}
	}
	return off(at+".fallback", p.Fallback.Peering)
}
