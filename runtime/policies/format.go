package policies

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// names are the policies, in the order of the files. All three are lists of origins, and have the same names in Chrome and in
// Edge. Versions: Chrome 79 and Edge 80; 139 and 140; 146 and 146.
var names = []string{
	"LocalNetworkAccessAllowedForUrls", // the local network may be reached, without a question to the user
	"LocalNetworkAllowedForUrls",       // the same since version 146, where policies tell it from this computer
	"WebRtcLocalIpsAllowedUrls",        // local addresses in candidates instead of .local names
}

// Format is a form of the file.
type Format string

// The formats.
const (
	ChromeJSON   Format = "chrome-json"  // for /etc/opt/chrome/policies/managed, and the folders of Chromium and others
	EdgeJSON     Format = "edge-json"    // for /etc/opt/edge/policies/managed
	Registry     Format = "reg"          // for regedit: Chrome and Edge
	MobileConfig Format = "mobileconfig" // a configuration profile for macOS: Chrome and Edge
)

// Formats are all formats.
var Formats = []Format{ChromeJSON, EdgeJSON, Registry, MobileConfig}

// ParseFormat returns the format of that name.
func ParseFormat(text string) (Format, error) {
	var all []string
	for _, f := range Formats {
		if text == string(f) {
			return f, nil
		}
		all = append(all, string(f))
	}
	return "", fmt.Errorf("%.40q is not a format; use one of %s", text, strings.Join(all, ", "))
}

// File is one file.
type File struct {
	Name      string // without a folder
	MediaType string
	Content   []byte
}

// File returns the file of a format that ParseFormat returned.
func (s Set) File(f Format) File {
	switch f {
	case EdgeJSON:
		return File{s.name + "-edge.json", "application/json", s.json()}
	case Registry:
		return File{s.name + ".reg", "application/octet-stream", s.registry()}
	case MobileConfig:
		return File{s.name + ".mobileconfig", "application/x-apple-aspen-config", s.profile()}
	}
	return File{s.name + "-chrome.json", "application/json", s.json()}
}

// json is a policy file for Linux. Browsers read all files of a folder; of a policy that is in several, they use one.
func (s Set) json() []byte {
	all := make(map[string][]string, len(names))
	for _, name := range names {
		all[name] = s.origins
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(all) // cannot fail: these are strings, in memory
	return b.Bytes()
}
