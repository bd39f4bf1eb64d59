// Re-runs the identity and segment vectors against the published hls.js parser
// and the published p2p-media-loader engine, and compares.
//
// usage: node check.cjs [--modules DIR] [--vectors DIR] [--golden]
//   --modules  a node_modules folder (default: NODE_PATH, else ../node_modules)
//   --vectors  folder of identity.json and segments.json
//   --golden   also rewrite runtime/loader/manifest/testdata/hlsjs.json: what the
//              reference makes of the playlists in odd.cjs, for the Go tests
//
// Prints a count and ends with 1 on a difference that nothing explains.
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { modulesFolder, versionOf } = require('./load.cjs');
const { Reference } = require('./engine.cjs');

const modules = modulesFolder(process.argv);
const vectors = argument('--vectors', path.join(__dirname, '../../../runtime/loader/identity/testdata'));
const versions = Object.fromEntries(['hls.js', 'p2p-media-loader-core', 'p2p-media-loader-hlsjs'].map((n) => [n, versionOf(modules, n)]));
const reference = new Reference(modules);

// Differences between the versions that made the vectors and the ones tested
// here, by case id. None is known; a case belongs here only with a reason.
const explained = {};

function argument(name, fallback) {
  const at = process.argv.indexOf(name);
  return at > 0 ? process.argv[at + 1] : fallback;
}

const runners = {
  hls_multivariant: (c) => reference.manifest(c.input.playlist, c.input.manifestResponseUrl),
  // The vector has no text: any media playlist opened directly will do.
  hls_media_playlist_as_manifest: (c) => reference.manifest('#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n', c.input.manifestResponseUrl),
  hls_media_playlist: (c) => reference.media(c.input.streamRuntimeId, c.input.loads),
  stream: (c) => ({ ...c.expected, streamShortId: reference.generateStreamShortId(c.input.props) }),
};

function plain(value) { return JSON.parse(JSON.stringify(value)); }

let unexplained = 0;
const counts = {};
for (const file of ['identity.json', 'segments.json']) {
  for (const c of JSON.parse(fs.readFileSync(path.join(vectors, file), 'utf8')).cases) {
    const run = runners[c.kind];
    if (!run) continue;
    const count = counts[c.kind] = counts[c.kind] || { same: 0, explained: 0, different: 0 };
    let got;
    try {
      got = plain(run(c));
      assert.deepStrictEqual(got, c.expected);
      count.same++;
    } catch (error) {
      if (explained[c.id]) {
        count.explained++;
        console.log(`${c.id}: differs as expected: ${explained[c.id]}`);
        continue;
      }
      count.different++;
      unexplained++;
      console.log(`${c.id} (${c.note || c.kind}): DIFFERENT\n${error.message}`);
    }
  }
}

console.log(`against ${Object.entries(versions).map(([n, v]) => `${n} ${v}`).join(', ')}:`);
for (const [kind, n] of Object.entries(counts)) {
  console.log(`  ${kind}: ${n.same} same, ${n.explained} explained, ${n.different} different`);
}
if (process.argv.includes('--golden')) writeGolden();
const total = Object.values(counts).reduce((sum, n) => sum + n.same + n.explained + n.different, 0);
console.log(`${total} cases, ${unexplained} unexplained differences`);
process.exit(unexplained > 0 || total === 0 ? 1 : 0);

function writeGolden() {
  const odd = require('./odd.cjs');
  const out = {
    about: 'Made by test/interop/identity/check.cjs --golden: what the real player and engine make of unusual playlists.',
    producedBy: versions,
    manifests: odd.manifests.map((m) => ({ ...m, expected: reference.manifest(m.playlist, m.url) })),
    media: odd.media.map((m) => ({ ...m, expected: reference.media(m.url, m.texts.map((text) => ({ responseUrl: m.url, text }))) })),
  };
  const print = (ref, base) => {
    try {
      const u = new URL(ref, base);
      u.hash = '';
      return /^https?:$/.test(u.protocol) ? u.href : null;
    } catch { return null; }
  };
  out.urls = odd.urls.map((u) => [u, print(u)]);
  out.resolved = odd.referenceBases.flatMap((b) => odd.references.map((r) => [b, r, print(r, b)]));
  const file = path.join(__dirname, '../../../runtime/loader/manifest/testdata/hlsjs.json');
  fs.writeFileSync(file, JSON.stringify(out, null, 1) + '\n');
  console.log(`wrote ${out.manifests.length} manifests and ${out.media.length} media playlists for the Go tests`);
}
