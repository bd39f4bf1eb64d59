// Writes runtime/loader/manifest/testdata/corpus.json: the playlists of hlscases.cjs
// and what hls.js and Shaka Player, each with its plug-in of p2p-media-loader,
// make of them. The Go tests of the manifest package compare themselves with it.
//
// usage: node hls.cjs [--modules DIR] [--check]
//   --modules  a node_modules folder (default: NODE_PATH, else ../node_modules)
//   --check    write nothing; end with 1 if the file would change
'use strict';
const fs = require('fs');
const path = require('path');
const { modulesFolder, versionOf } = require('./load.cjs');
const { Reference } = require('./engine.cjs');
const { ShakaReference } = require('./shaka.cjs');
const { cases } = require('./hlscases.cjs');

const at = (texts, step) => texts[Math.min(step, texts.length - 1)];

// withHLSJS is what the engine for hls.js knows after each state.
function withHLSJS(reference, c) {
  const opened = reference.manifest(at(c.files[c.url], 0), c.url);
  if (opened.error) return opened;
  const streams = opened.streams.map(({ type, runtimeId, streamShortId }) => {
    const texts = c.files[runtimeId];
    if (!texts) return { type, url: runtimeId, id: streamShortId };
    const loads = Array.from({ length: c.steps }, (_, step) => ({ responseUrl: runtimeId, text: at(texts, step) }));
    const states = reference.media(runtimeId, loads).map((s) => (s.error ? { error: s.error } : {
      live: s.live, segments: s.segments.map(({ externalId, runtimeId: key }) => ({ externalId, key })),
    }));
    return { type, url: runtimeId, id: streamShortId, states };
  });
  return { swarmId: opened.swarmId, streams };
}

// withShaka is what the plug-in for Shaka knows in each state.
async function withShaka(reference, c) {
  const steps = Array.from({ length: c.steps }, (_, i) => ({ now: Date.UTC(2026, 0, 1) + 8000 * i }));
  return reference.run({ url: c.url, files: c.files, steps, bodies: () => Buffer.alloc(16) /* a key */ });
}

async function main() {
  const modules = modulesFolder(process.argv);
  const hls = new Reference(modules);
  const shaka = new ShakaReference(modules);
  const out = {
    about: 'Made by test/interop/identity/hls.cjs: the playlists of hlscases.cjs, and what the players and their plug-ins make of them.',
    producedBy: { ...shaka.versions, ...Object.fromEntries(['hls.js', 'p2p-media-loader-hlsjs'].map((n) => [n, versionOf(modules, n)])) },
    cases: [],
  };
  for (const c of cases) {
    out.cases.push({ ...c, hls: withHLSJS(hls, c), shaka: await withShaka(shaka, c) });
  }
  const text = JSON.stringify(out, null, 1).replace(/\{\s+"externalId": (.*),\s+"(\w+)": (".*?")(?:,\s+"byteRange": (null|\{[^}]*\}))?\s+\}/g, (_, id, name, value, range) => `{"externalId": ${id}, "${name}": ${value}${range && range !== 'null' ? `, "byteRange": ${range.replace(/\s+/g, ' ')}` : ''}}`) + '\n';
  const file = path.join(__dirname, '../../../runtime/loader/manifest/testdata/corpus.json');
  if (process.argv.includes('--check')) {
    if (fs.readFileSync(file, 'utf8') !== text) throw new Error(`${file} is not what ${JSON.stringify(out.producedBy)} give`);
    console.log(`${cases.length} cases are as recorded`);
    return;
  }
  fs.writeFileSync(file, text);
  console.log(`wrote ${cases.length} cases`);
}

main().catch((error) => { console.error(error); process.exit(1); });
