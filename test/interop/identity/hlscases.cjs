// The HLS half of the corpus: playlists with each feature and fault that streams
// in the field have. A case is a manifest with its media playlists, in one or
// more states: files maps a URL to its texts, one for each state (the last one
// stays). differs tells why a player cannot be compared.
'use strict';

const base = 'https://cdn.example/show/';
const url = `${base}master.m3u8?token=secret`;
const master = (...lines) => ['#EXTM3U', '#EXT-X-VERSION:6', ...lines, ''].join('\n');
const variant = (uri, bandwidth, more = '') => `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth}${more ? ',' + more : ''}\n${uri}`;
const V1 = 'CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000';
const V2 = 'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=25.000';
const audio = (group, name, language, uri, more = '') => `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${group}",NAME="${name}",LANGUAGE="${language}"${more ? ',' + more : ''}${uri ? `,URI="${uri}"` : ''}`;

// list is a media playlist of count segments from a sequence number on. each
// returns the lines before a segment's URI, and name the URI.
function list({ first = 0, count = 6, target = 4, head = [], each = () => [], name = (n) => `${n}.m4s`, end = false, duration = () => target }) {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:6', `#EXT-X-TARGETDURATION:${target}`, `#EXT-X-MEDIA-SEQUENCE:${first}`, ...head];
  for (let n = first; n < first + count; n++) lines.push(...each(n), `#EXTINF:${duration(n)},`, name(n));
  if (end) lines.push('#EXT-X-ENDLIST');
  return lines.join('\n') + '\n';
}
const map = '#EXT-X-MAP:URI="init.mp4"';
const film = (more = {}) => list({ head: [map], end: true, ...more });
const window = (first, more = {}) => list({ first, count: 10, head: [map], ...more });

const cases = [];
// add adds a case; media maps a URI of the manifest to the texts of its states.
function add(id, about, manifest, media, more = {}) {
  const files = { [url]: [].concat(manifest) };
  for (const [uri, texts] of Object.entries(media)) files[new URL(uri, url).href] = [].concat(texts);
  cases.push({ id, about, url, files, steps: Math.max(...Object.values(files).map((f) => f.length)), ...more });
}
const ladder = master(variant('v1/index.m3u8', 800000, V1), variant('v2/index.m3u8', 2400000, V2));
const both = (text) => ({ 'v1/index.m3u8': text, 'v2/index.m3u8': text });

add('vod-ladder', 'two qualities', ladder, both(film()));
add('vod-media-playlist', 'a media playlist in the place of the manifest', film({ head: [] , name: (n) => `${n}.ts` }), {});
add('vod-first-number', 'a film that begins with number 7: its place counts', ladder, both(film({ first: 7 })));
add('vod-separate-audio', 'two languages apart from the video', master(audio('a', 'English', 'en', 'a1/index.m3u8', 'DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2"'), audio('a', 'Deutsch', 'de', 'a2/index.m3u8', 'AUTOSELECT=YES,CHANNELS="2"'), variant('v1/index.m3u8', 800000, V1 + ',AUDIO="a"'), variant('v2/index.m3u8', 2400000, V2 + ',AUDIO="a"')),
  { ...both(film()), 'a1/index.m3u8': film(), 'a2/index.m3u8': film() });
add('vod-audio-groups', 'the same video listed for each of two groups of audio', master(audio('lo', 'English', 'en', 'a1/index.m3u8', 'CHANNELS="2"'), audio('hi', 'English 5.1', 'en', 'a2/index.m3u8', 'CHANNELS="6"'), variant('v1/index.m3u8', 800000, V1 + ',AUDIO="lo"'), variant('v2/index.m3u8', 2400000, V2 + ',AUDIO="lo"'), variant('v1/index.m3u8', 1000000, V1 + ',AUDIO="hi"'), variant('v2/index.m3u8', 2600000, V2 + ',AUDIO="hi"')),
  { ...both(film()), 'a1/index.m3u8': film(), 'a2/index.m3u8': film() });
add('vod-byte-ranges', 'all segments in one file', ladder, both(film({ head: ['#EXT-X-MAP:URI="all.mp4",BYTERANGE="600@0"'], name: () => 'all.mp4', each: (n) => [`#EXT-X-BYTERANGE:1000@${600 + 1000 * n}`] })));
add('vod-ranges-without-offset', 'each range begins where the one before ends', ladder, both(film({ head: ['#EXT-X-MAP:URI="all.mp4",BYTERANGE="600@0"'], name: () => 'all.mp4', each: (n) => [n ? '#EXT-X-BYTERANGE:1000' : '#EXT-X-BYTERANGE:1000@600'] })));
add('vod-aes', 'whole segments are encrypted', ladder, both(film({ head: ['#EXT-X-KEY:METHOD=AES-128,URI="key"', map] })), { differs: { shaka: 'it imports keys, for which it needs a browser' } });
add('vod-sample-aes', 'protected with a key system', ladder, both(film({ head: ['#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,AAAA",KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",KEYFORMATVERSIONS="1"', map] })));
add('vod-discontinuity', 'a film in two parts', ladder, both(film({ each: (n) => (n === 3 ? ['#EXT-X-DISCONTINUITY', '#EXT-X-MAP:URI="init2.mp4"'] : []) })));
add('vod-gap', 'a segment that is not there', ladder, both(film({ each: (n) => (n === 2 ? ['#EXT-X-GAP'] : []) })));
add('vod-subtitles', 'subtitles, captions and I-frames beside the video', master('#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en",URI="s/index.m3u8"', '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="English",LANGUAGE="en",INSTREAM-ID="CC1"', variant('v1/index.m3u8', 800000, V1 + ',SUBTITLES="s",CLOSED-CAPTIONS="cc"'), '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.4d401f",RESOLUTION=640x360,URI="i/index.m3u8"'),
  { 'v1/index.m3u8': film(), 's/index.m3u8': film({ head: [], name: (n) => `${n}.vtt` }), 'i/index.m3u8': film({ head: ['#EXT-X-I-FRAMES-ONLY', map] }) });
add('vod-audio-only', 'a radio in two qualities', master(variant('a1/index.m3u8', 64000, 'CODECS="mp4a.40.5"'), variant('a2/index.m3u8', 128000, 'CODECS="mp4a.40.2"')), { 'a1/index.m3u8': film(), 'a2/index.m3u8': film() });
add('vod-audio-fallback', 'a variant without video under a ladder', master(variant('v1/index.m3u8', 800000, V1), variant('v2/index.m3u8', 2400000, V2), variant('a/index.m3u8', 64000, 'CODECS="mp4a.40.2"')), { ...both(film()), 'a/index.m3u8': film() }, { differs: { shaka: 'the plug-in counts audio by itself, so that two main renditions have the number 0' } });
add('vod-backup', 'the same qualities on a second host', master(variant('v1/index.m3u8', 800000, V1), variant('v2/index.m3u8', 2400000, V2), variant('https://b.example/v1/index.m3u8', 800000, V1), variant('https://b.example/v2/index.m3u8', 2400000, V2)), { ...both(film()), 'https://b.example/v1/index.m3u8': film(), 'https://b.example/v2/index.m3u8': film() });
add('vod-variables', 'variables in the manifest and in a playlist', master('#EXT-X-DEFINE:NAME="dir",VALUE="v1"', variant('{$dir}/index.m3u8', 800000, V1)), { 'v1/index.m3u8': film({ head: ['#EXT-X-DEFINE:NAME="p",VALUE="x"', map], name: (n) => `{$p}${n}.m4s` }) });
add('vod-hdr', 'SDR and HDR of one size', master(variant('v1/index.m3u8', 8000000, 'CODECS="hvc1.2.4.L153.B0",RESOLUTION=3840x2160,FRAME-RATE=59.940,VIDEO-RANGE=PQ'), variant('v2/index.m3u8', 8000000, 'CODECS="hvc1.1.6.L150.B0",RESOLUTION=3840x2160,FRAME-RATE=59.940,VIDEO-RANGE=SDR')), both(film()));
add('vod-twins', 'two cameras with the same attributes', master(variant('v1/index.m3u8', 800000, V1), variant('v2/index.m3u8', 800000, V1)), both(film()));
add('vod-same-size', 'two qualities that differ in bandwidth only', master(variant('v1/index.m3u8', 800000, V1), variant('v2/index.m3u8', 1600000, V1)), both(film()));
add('vod-unknown-codec', 'a codec that hls.js does not list', master(variant('v1/index.m3u8', 800000, 'CODECS="xvid.1",RESOLUTION=640x360'), variant('v2/index.m3u8', 1600000, 'CODECS="xvid.1",RESOLUTION=1280x720')), both(film()));
add('vod-no-attributes', 'nothing but the bandwidth', master(variant('v1/index.m3u8', 800000)), { 'v1/index.m3u8': film() });
add('vod-average-bandwidth', 'a bandwidth of 0 and an average', master(variant('v1/index.m3u8', 0, 'AVERAGE-BANDWIDTH=700000,' + V1)), { 'v1/index.m3u8': film() });
add('vod-repeated', 'an advertisement that comes twice', ladder, both(film({ name: (n) => `${[0, 1, 9, 2, 9, 3][n]}.m4s` })), { differs: { shaka: 'the plug-in knows such a segment by its last number' } });
add('vod-signed', 'a token in each URL', ladder, both(film({ name: (n) => `${n}.m4s?exp=1&sig=${n}` })));
add('vod-crlf', 'lines end as on Windows, after a byte order mark', '\ufeff' + ladder.replace(/\n/g, '\r\n'), both(film().replace(/\n/g, '\r\n')), { differs: { hls: 'a browser takes the mark off before the player sees the text' } });
add('vod-languages', 'language tags of all kinds, and none', master(audio('a', 'A', 'en-US', 'a1/index.m3u8'), audio('a', 'B', 'deu', 'a2/index.m3u8'), '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="C",URI="a3/index.m3u8"', variant('v1/index.m3u8', 800000, V1 + ',AUDIO="a"')), { 'v1/index.m3u8': film(), 'a1/index.m3u8': film(), 'a2/index.m3u8': film(), 'a3/index.m3u8': film() });
add('vod-alternate-video', 'a second camera angle as a video rendition', master('#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="c",NAME="Main",DEFAULT=YES,URI="v1/index.m3u8"', '#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="c",NAME="Wide",URI="v2/index.m3u8"', variant('v1/index.m3u8', 800000, V1 + ',VIDEO="c"')), both(film()), { differs: { shaka: 'it plays the other camera, which hls.js does not know' } });
add('vod-same-audio-name', 'one name for two qualities of audio', master(audio('lo', 'English', 'en', 'a1/index.m3u8', 'CHANNELS="2"'), audio('hi', 'English', 'en', 'a2/index.m3u8', 'CHANNELS="2"'), variant('v1/index.m3u8', 800000, V1 + ',AUDIO="lo"'), variant('v2/index.m3u8', 2400000, V2 + ',AUDIO="hi"')), { ...both(film()), 'a1/index.m3u8': film(), 'a2/index.m3u8': film() });
add('vod-odd-durations', 'segments of different lengths', ladder, both(film({ target: 6, duration: (n) => [4, 5.96, 4.004, 2, 6, 1.5][n] })));
add('vod-many-audio', 'eight languages', master(...'en de fr es it nl pl sv'.split(' ').map((l) => audio('a', l, l, `${l}/index.m3u8`)), variant('v1/index.m3u8', 800000, V1 + ',AUDIO="a"')), { 'v1/index.m3u8': film(), ...Object.fromEntries('en de fr es it nl pl sv'.split(' ').map((l) => [`${l}/index.m3u8`, film()])) });

add('live-window', 'ten segments that move on', ladder, both([window(100), window(102)]));
add('live-separate-audio', 'audio apart, with numbers of its own', master(audio('a', 'English', 'en', 'a1/index.m3u8', 'DEFAULT=YES'), variant('v1/index.m3u8', 800000, V1 + ',AUDIO="a"')), { 'v1/index.m3u8': [window(100), window(101)], 'a1/index.m3u8': [window(100), window(101)] });
add('live-begins', 'an event of which nothing has left yet', ladder, both([window(0, { count: 3 }), window(0, { count: 5 })]));
add('live-event', 'an event that keeps all segments, and ends', ladder, both([list({ head: [map, '#EXT-X-PLAYLIST-TYPE:EVENT'], count: 5 }), list({ head: [map, '#EXT-X-PLAYLIST-TYPE:EVENT'], count: 7, end: true })]));
add('live-ends', 'a window that moves on and ends', ladder, both([window(1502, { count: 5 }), window(1502, { count: 5, end: true })]));
add('live-short-window', 'two segments', ladder, both(window(100, { count: 2 })));
add('live-low-latency', 'parts of segments', ladder, both(window(100, { head: [map, '#EXT-X-PART-INF:PART-TARGET=1'], each: (n) => [0, 1, 2, 3].map((p) => `#EXT-X-PART:DURATION=1,URI="${n}.${p}.m4s"`) })), {});
add('live-delta', 'delta updates offered', ladder, both(window(100, { head: [map, '#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=24'] })));
add('live-blocking', 'blocking reloads offered', ladder, both(window(100, { head: [map, '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES'] })));
add('live-discontinuities', 'a new part begins', ladder, both([window(100, { head: [map, '#EXT-X-DISCONTINUITY-SEQUENCE:4'], each: (n) => (n === 105 ? ['#EXT-X-DISCONTINUITY'] : []) }), window(106, { head: [map, '#EXT-X-DISCONTINUITY-SEQUENCE:5'] })]));
add('live-key-rotation', 'a key for every fourth segment', ladder, both([window(100, { each: (n) => (n % 4 ? [] : [`#EXT-X-KEY:METHOD=AES-128,URI="key${n / 4}"`]) }), window(104, { each: (n) => (n % 4 ? [] : [`#EXT-X-KEY:METHOD=AES-128,URI="key${n / 4}"`]) })]), { differs: { shaka: 'it imports keys, for which it needs a browser' } });
const dates = (n) => [`#EXT-X-PROGRAM-DATE-TIME:${new Date(Date.UTC(2026, 0, 1) + 4000 * n).toISOString()}`];
add('live-dates', 'a date for each segment', ladder, both([window(100, { each: dates }), window(101, { each: dates })]));
add('live-large-number', 'a number beyond 32 bits', ladder, both([window(2 ** 40), window(2 ** 40 + 1)]));
add('live-negative-duration', 'a duration below zero', ladder, both(window(100, { duration: (n) => (n === 104 ? '-1' : 4) })), { differs: { hls: 'it makes one more segment' } });
add('live-attributes', 'text before the comma of a duration', ladder, both(window(100, { duration: () => '4 group="a"' })), { differs: { hls: 'it makes one more segment', shaka: 'it fails' } });
add('live-master-anew', 'a manifest with other bandwidths at each request', [ladder, ladder.replace('=800000', '=812345')], both([window(100), window(101)]));
add('live-transport-stream', 'MPEG-TS', ladder, both([list({ first: 100, count: 10, name: (n) => `${n}.ts` }), list({ first: 101, count: 10, name: (n) => `${n}.ts` })]));

const none = {};
add('fault-empty', 'an empty body', '', none);
add('fault-page', 'a web page', '<!DOCTYPE html><html><body>Not found</body></html>', none);
add('fault-mpd', 'an MPD under the name of a playlist', '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>', none);
add('fault-no-variants', 'a manifest without a variant', master('#EXT-X-INDEPENDENT-SEGMENTS'), none);
add('fault-cut', 'a playlist that ends within a line', ladder, both(film().slice(0, 90)), {});
add('fault-number-behind', 'the number of the first segment behind a segment', ladder, both('#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.m4s\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\nb.m4s\n#EXT-X-ENDLIST\n'), { differs: { shaka: 'it takes the number' } });
add('fault-huge-number', 'a number that no browser can count', ladder, both(film().replace('SEQUENCE:0', 'SEQUENCE:99999999999999999999')), { differs: { shaka: 'it counts on with what is left of the number', hls: 'it counts on with what is left of the number' } });
add('fault-huge-duration', 'a segment of a year', ladder, both(film({ duration: () => 31536000 })), { differs: { shaka: 'it takes it', hls: 'it takes it' } });
add('fault-empty-range', 'a range of no bytes', ladder, both(film({ name: () => 'all.mp4', each: () => ['#EXT-X-BYTERANGE:0@0'] })), { differs: { shaka: 'it takes it', hls: 'it takes it' } });
add('fault-map-without-uri', 'an initialization section without a URI', ladder, both(film({ head: ['#EXT-X-MAP:BYTERANGE="600@0"'] })), { differs: { hls: 'it takes it' } });
add('fault-undefined-variable', 'a variable that nothing defines', master(variant('{$dir}/index.m3u8', 800000, V1)), none);
add('fault-no-segments', 'a playlist without segments', ladder, both('#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n'), { differs: { shaka: 'it refuses a playlist without segments' } });

module.exports = { cases };
