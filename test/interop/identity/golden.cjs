// Writes runtime/loader/identity/testdata/javascript.json: what a JavaScript
// engine and hls.js make of numbers, texts and URLs. The Go tests of the
// identity package compare themselves with that file.
//
// usage: node golden.cjs [--modules DIR]   (DIR is a node_modules folder)
'use strict';
const fs = require('fs');
const path = require('path');
const { modulesFolder, loadHls } = require('./load.cjs');

// A small fixed generator, so that the file only changes when the rules do.
let state = 0x9e3779b9;
function random(n) {
  state ^= state << 13; state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5; state >>>= 0;
  return state % n;
}
const pick = (list) => list[random(list.length)];
const some = (count, make) => Array.from({ length: count }, make);
const glue = (pieces, most) => some(1 + random(most), () => pick(pieces)).join('');

const numbers = [0, 1, -1, 0.1, 29.97, 30, 1234.5, 1e5, 1e20, 123456789012345680000, 1e21, 1.5e21, 1e22, 1e100,
  1e-5, 1e-6, 1e-7, 1.25e-7, 5e-324, 1.7976931348623157e308, 9007199254740991, 9007199254740992, 4.35, 0.000001234,
  ...some(60, () => (random(1e9) + random(1e6) / 1e6) * Math.pow(10, random(50) - 25))];

const numberTexts = ['', ' ', '0', '-0', '+0', '00', '007', '1', '+1', '-1', '1.', '.5', '.', '-.5', '1.5.5', '1e2', '1E2', '1e', '1e+',
  '1e400', '-1e400', '1e-400', 'Infinity', '+Infinity', '-Infinity', '++Infinity', 'infinity', 'NaN', '0x1e', '0X1E', '0x', '0xg',
  '-0x1', '0b11', '0b2', '0o17', '0o8', '0b', '1_000', '0x_1', '30000/1001', '29.970', '\u00a030\u3000', '3 0', '1n', '0x1p3', 'inf',
  '0x' + 'f'.repeat(300), '9'.repeat(400), '0b' + '1'.repeat(70), '1' + '0'.repeat(30), '\u0663',
  ...some(60, () => glue(['0', '1', '9', '.', 'e', '-', '+', 'x', '0x', ' ', 'f', '25', '\n'], 6))];

const letters = ['a', 'B', 'ß', 'İ', 'ı', 'Σ', 'ς', 'σ', 'É', 'ŉ', 'ﬁ', 'ﬀ', 'Ǆ', 'ǅ', 'ᾳ', 'ᾼ', 'Ω', 'K', 'Å', '日', '😀', '𐐀', '𐐨', '\u0307',
  '\u00ad', "'", '.', ':', ' ', '\u00a0', '\u2003', '\u3000', '\ufeff', '\u200b', '\u0085', '\u180e', '\t', '\n', '-', '1', 'ΐ', 'և', 'ͅ', 'ʰ'];
const texts = ['', 'Σ', 'ΑΣ', 'ΑΣ.', 'ΑΣΑ', "ΑΣ'Α", 'ΑΣ Α', '.Σ', 'İSTANBUL Straße', ...some(200, () => glue(letters, 6))];

const lists = some(60, () => some(2 + random(4), () => glue(['a', 'b', 'A', 'z', '', '😀', '\uffee', '\ue000', '𐐀', 'é'], 3)));

const codecs = ['avc1.66.30', 'avc1.066.30', 'avc1.66.030', 'avc1.-1.30', 'avc1.0.0', 'avc1.-0.30', 'avc1.300.4096', 'avc1.9007199254740993.1',
  'avc1.9007199254740992.1', 'avc1.100000000000000000000.1', 'avc1.1000000000000000000000.1', 'avc1.66.30.', 'avc1.66', 'AVC1.66.30', ' avc.77.31 ',
  'avc3.66.30', 'avc1.6a.30', 'avc1.66.3e1', 'avc1.+6.30', 'avc1..30', 'avc1.66.', 'a,,b', ',', 'B,a,\u00a0C', 'mp4a.40.2, avc1.77.30'];

const pieces = ['a', 'b;p=1', '..', '.', '/', '/', '//', '?q=1', '?', '#f', '#', ':', 'http:', 'https://h.example', 'seg.ts', ' ', '%20', 'é', ';x', '...', '../', './'];
const bases = ['https://cdn.example.com/live/ev1/master.m3u8?sig=abc', 'https://cdn.example.com', 'https://cdn.example.com?x/y', 'http://h:8080/a/b/../c/./d;p?q#f',
  'example.com/a/b', '//h/a', '/only/path', 'https://h/a//b/', 'https://h/..', 'data:text/plain,hi'];
const refs = ['', 'v.m3u8', '../v.m3u8', '../../../v.m3u8', '/abs/v.m3u8', '//other/v.m3u8', 'https://o.example/x/../y', 'HTTP://O/x/.', '?q', '#f', ';p', './', '..', '.',
  '/a/b/..', '/a/./b/.', '/../a', 'a//../b', 'x:y/../z', ' v.m3u8\t', 'data:,x', 'a/../../b/../../c', ...some(250, () => glue(pieces, 7))];

const Hls = loadHls(modulesFolder(process.argv));
const toolkit = findToolkit(Hls);

// hls.js does not export its URL code; a fragment's url getter uses it.
function findToolkit({ M3U8Parser }) {
  return (base, ref) => M3U8Parser.resolve(ref, base);
}

const resolved = [];
for (const ref of refs) {
  for (const base of refs.indexOf(ref) < 25 ? bases : [pick(bases)]) resolved.push([base, ref, toolkit(base, ref)]);
}

const out = {
  about: 'Made by test/interop/identity/golden.cjs. What JavaScript and hls.js make of these inputs; null stands for NaN.',
  producedBy: { node: process.version, unicode: process.versions.unicode, hls: Hls.version },
  numbers: numbers.map((n) => [n, String(n)]),
  numberTexts: numberTexts.map((s) => [s, Number.isNaN(Number(s)) ? null : String(Number(s))]),
  integers: numberTexts.map((s) => [s, Number.isNaN(parseInt(s, 10)) ? null : String(parseInt(s, 10))]),
  texts: texts.map((s) => ({ text: s, lower: s.toLowerCase(), upper: s.toUpperCase(), trim: s.trim(), two: Buffer.from(s.slice(0, 2)).toString() })),
  lists: lists.map((l) => [l, [...l].sort()]),
  codecs: codecs.map((c) => [c, normalizeCodecs(c)]),
  resolved,
};

// The published function does not give its text away; this says the same with
// the engine's own split, sort and parseInt.
function normalizeCodecs(list) {
  return list.split(',').map((part) => {
    const codec = part.trim().toLowerCase();
    const fields = codec.split('.');
    if (fields.length !== 3 || !['avc', 'avc1'].includes(fields[0])) return codec;
    const [profile, level] = fields.slice(1).map((f) => parseInt(f, 10));
    if (String(profile) !== fields[1] || String(level) !== fields[2]) return codec;
    if (Number.isNaN(profile) || Number.isNaN(level)) return codec;
    return `${fields[0]}.${profile.toString(16).padStart(2, '0')}00${level.toString(16).padStart(2, '0')}`;
  }).sort().join(',');
}

const file = path.join(__dirname, '../../../runtime/loader/identity/testdata/javascript.json');
fs.writeFileSync(file, JSON.stringify(out, null, 1) + '\n');
console.log(`wrote ${numbers.length} numbers, ${2 * numberTexts.length} number texts, ${texts.length} texts, ${lists.length} lists, ${codecs.length} codecs, ${resolved.length} URLs`);
