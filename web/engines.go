package web

import (
	"fmt"
	"regexp"
)

// engine is a module that any page can import, made of one that needs an import map: the page of a customer may not have
// one, or already has one.
type engine struct {
	name string // below /vendor/
	from string // in third_party
	core string // in third_party: what it imports by the bare name
}

var engines = []engine{{"engine-hlsjs.mjs", "p2p-media-loader-hlsjs.es.min.js", "p2p-media-loader-core.es.min.js"}}

var bareCore = regexp.MustCompile(`from\s*"p2p-media-loader-core"`)

// withEngines adds the engines to the files that they are made of.
func withEngines(assets map[string]asset) map[string]asset {
	for _, e := range engines {
		core := fmt.Appendf(nil, `from"./%s?h=%s"`, e.core, assets["/vendor/"+e.core].hash)
		assets["/vendor/"+e.name] = newAsset(e.name, bareCore.ReplaceAllLiteral(assets["/vendor/"+e.from].body, core))
	}
	return assets
}
