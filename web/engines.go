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

var engines = []engine{
	{"engine-hlsjs.mjs", "p2p-media-loader-hlsjs.es.min.js", "p2p-media-loader-core.es.min.js"},
	{"engine-shaka.mjs", "p2p-media-loader-shaka.es.min.js", "p2p-media-loader-core-2.2.2.es.min.js"},
}

// Shaka Player is published as a script that looks for "exports" and else sets a global name, which a page may use for a
// version of its own. As a module it exports its namespace, and sets nothing.
const (
	shakaModule = "player-shaka.mjs"
	shakaScript = "shaka-player.compiled.js"
)

var bareCore = regexp.MustCompile(`from\s*"p2p-media-loader-core"`)

// addEngines adds the engines to the files that they are made of.
func addEngines(assets map[string]asset) {
	for _, e := range engines {
		core := fmt.Appendf(nil, `from"./%s?h=%s"`, e.core, assets["/vendor/"+e.core].hash)
		assets["/vendor/"+e.name] = newAsset(e.name, bareCore.ReplaceAllLiteral(assets["/vendor/"+e.from].body, core))
	}
	module := append([]byte("const exports={};\n"), assets["/vendor/"+shakaScript].body...)
	assets["/vendor/"+shakaModule] = newAsset(shakaModule, append(module, "\nexport default exports;\n"...))
}
