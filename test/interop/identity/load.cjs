// Loads the real hls.js and the real p2p-media-loader engine into Node, with
// the few browser names that they look at while loading.
'use strict';
const fs = require('fs');
const path = require('path');
const vm = require('vm');

// modulesFolder is the node_modules folder to test against: --modules DIR,
// else NODE_PATH, else that of test/interop.
function modulesFolder(argv) {
  const at = argv.indexOf('--modules');
  if (at > 0 && argv[at + 1]) return path.resolve(argv[at + 1]);
  const fromEnv = (process.env.NODE_PATH || '').split(path.delimiter).find((d) => d && fs.existsSync(path.join(d, 'hls.js')));
  return fromEnv || path.join(__dirname, '../node_modules');
}

function versionOf(modules, name) {
  return JSON.parse(fs.readFileSync(path.join(modules, name, 'package.json'), 'utf8')).version;
}

function browserNames() {
  const names = {
    self: globalThis, window: globalThis,
    XMLHttpRequest: class { constructor() { this.responseURL = ''; } },
    WebSocket: class {}, RTCPeerConnection: class {},
    MediaSource: undefined, ManagedMediaSource: undefined,
  };
  for (const [name, value] of Object.entries(names)) {
    if (!(name in globalThis)) globalThis[name] = value;
  }
  if (!globalThis.location) globalThis.location = { href: 'https://page.example/', protocol: 'https:' };
}

// loadHls returns the library and, from the same closure, the parser that it
// does not export: the dist file is run with one line added before its end.
function loadHls(modules) {
  browserNames();
  const file = path.join(modules, 'hls.js/dist/hls.js');
  let source = fs.readFileSync(file, 'utf8');
  const marker = 'return Hls;';
  const at = source.lastIndexOf(marker);
  if (at < 0) throw new Error(`${file}: cannot find "${marker}" to reach the parser`);
  source = `${source.slice(0, at)}Hls.__inside = { M3U8Parser, PlaylistLoader: typeof PlaylistLoader === 'undefined' ? null : PlaylistLoader };\n${source.slice(at)}`;
  const module = { exports: {} };
  vm.runInThisContext(`(function (module, exports) {${source}\n})`, { filename: file })(module, module.exports);
  const Hls = module.exports.default || module.exports;
  if (!Hls.__inside || !Hls.__inside.M3U8Parser) throw new Error(`${file}: the parser is not where it was`);
  return { Hls, version: versionOf(modules, 'hls.js'), ...Hls.__inside };
}

module.exports = { modulesFolder, versionOf, loadHls, browserNames };
