// Writes runtime/loader/manifest/dash/testdata/shaka.json: what Shaka Player and
// the plug-in of p2p-media-loader make of the MPDs in that folder's cases.json.
// The Go tests of the dash package compare themselves with that file.
//
// usage: node dash.cjs [--modules DIR] [--cases DIR] [--check]
//   --modules  a node_modules folder (default: NODE_PATH, else ../node_modules)
//   --cases    another folder of cases.json and mpd/; the Go tests read it with P2PSTREAM_DASH_CASES=DIR
//   --check    write nothing; end with 1 if the file would change
'use strict';
const fs = require('fs');
const path = require('path');
const { modulesFolder } = require('./load.cjs');
const { ShakaReference } = require('./shaka.cjs');

const at = process.argv.indexOf('--cases');
const folder = at > 0 ? path.resolve(process.argv[at + 1]) : path.join(__dirname, '../../../runtime/loader/manifest/dash/testdata');
const { cases } = JSON.parse(fs.readFileSync(path.join(folder, 'cases.json'), 'utf8'));

// indexBox is a file that holds a sidx box at byte spec.at. Sizes and durations
// are those of the segments. Source: ISO/IEC 14496-12 §8.16.3.
function indexBox(spec) {
  const wide = spec.version === 1;
  const size = 12 + 8 + (wide ? 16 : 8) + 4 + 12 * spec.sizes.length;
  const b = Buffer.alloc(spec.at + size);
  let at = spec.at;
  const u32 = (n) => { b.writeUInt32BE(n, at); at += 4; };
  const number = (n) => { if (wide) u32(Math.floor(n / 2 ** 32)); u32(n % 2 ** 32); };
  u32(size);
  at += b.write('sidx', at, 'latin1');
  u32(wide ? 1 << 24 : 0);
  u32(1);
  u32(spec.timescale);
  number(spec.earliest);
  number(spec.offset);
  u32(spec.sizes.length);
  spec.sizes.forEach((bytes, i) => { u32(bytes); u32(spec.durations[i]); u32(0x90000000); });
  return b;
}

async function main() {
  const reference = new ShakaReference(modulesFolder(process.argv));
  const results = {};
  for (const c of cases) {
    if (c.endless) continue;
    const steps = c.steps.map((s) => ({ now: Date.parse(s.now), mpd: fs.readFileSync(path.join(folder, 'mpd', s.file), 'utf8') }));
    const bodies = (url) => (c.sidx && c.sidx[url] ? indexBox(c.sidx[url]) : Buffer.from('2026-01-01T00:02:01Z'));
    // What a player lists that opens the MPD in each of its states, what one
    // lists that follows it, and what the plug-in knows while one plays.
    const alone = [];
    for (const step of steps) alone.push(...await reference.run({ url: c.url, steps: [step], bodies }));
    results[c.name] = { alone };
    if (steps.length > 1) results[c.name].followed = await reference.run({ url: c.url, steps, bodies });
    results[c.name].played = await reference.run({ url: c.url, steps, bodies, plays: true });
  }
  const out = { about: 'Made by test/interop/identity/dash.cjs: what the player and the plug-in make of the MPDs in cases.json.', producedBy: reference.versions, results };
  const text = JSON.stringify(out).replace(/("[\w-]+":\{"alone":)/g, '\n$1').replace(/(\{"externalId":)/g, '\n $1') + '\n';
  const file = path.join(folder, 'shaka.json');
  if (process.argv.includes('--check')) {
    if (fs.readFileSync(file, 'utf8') !== text) throw new Error(`${file} is not what ${JSON.stringify(reference.versions)} gives`);
    console.log(`${cases.length} cases are as recorded`);
    return;
  }
  fs.writeFileSync(file, text);
  console.log(`wrote ${Object.keys(results).length} results`);
}

main().catch((error) => { console.error(error); process.exit(1); });
