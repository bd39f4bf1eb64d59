// Playlists that are unusual but that players meet: what the real hls.js and
// the real engine make of them becomes test data for the Go parsers.
'use strict';

const url = 'https://cdn.example.com/live/ev1/master.m3u8?sig=a%20b&x=%C3%A9+1&empty';
const V = (attributes, uri) => `#EXT-X-STREAM-INF:${attributes}\n${uri}\n`;
const manifest = (id, ...parts) => ({ id, url, playlist: `#EXTM3U\n${parts.join('')}` });
const A = (attributes) => `#EXT-X-MEDIA:TYPE=AUDIO,${attributes}\n`;
const I = (attributes) => `#EXT-X-I-FRAME-STREAM-INF:${attributes}\n`;

const manifests = [
  manifest('decimal AVC with leading zeros', V('BANDWIDTH=1,CODECS="avc1.066.030"', 'v')),
  manifest('decimal AVC, small profile', V('BANDWIDTH=1,CODECS="avc1.8.5"', 'v')),
  manifest('decimal AVC, big level', V('BANDWIDTH=1,CODECS="avc1.66.4096"', 'v')),
  manifest('decimal AVC, no numbers', V('BANDWIDTH=1,CODECS="avc1.x.y"', 'v')),
  manifest('decimal AVC, prefixed hex', V('BANDWIDTH=1,CODECS="avc1.0x42.0x1e"', 'v')),
  manifest('decimal AVC, four parts', V('BANDWIDTH=1,CODECS="avc1.66.30.1,avc1.77.31"', 'v')),
  manifest('decimal AVC upper case', V('BANDWIDTH=1,CODECS="AVC1.66.30"', 'v'), V('BANDWIDTH=2,CODECS="avc1.66.30"', 'w')),
  manifest('one unknown of three, no I-frames', V('BANDWIDTH=1,CODECS="zzzz"', 'a'), V('BANDWIDTH=2,CODECS="avc1.64001f"', 'b'), V('BANDWIDTH=3', 'c')),
  manifest('one unknown of three, one I-frame variant', V('BANDWIDTH=1,CODECS="zzzz"', 'a'), V('BANDWIDTH=2,CODECS="avc1.64001f"', 'b'), V('BANDWIDTH=3', 'c'), I('BANDWIDTH=1,CODECS="avc1.64001f",URI="i"')),
  manifest('two unknown of three, one I-frame variant', V('BANDWIDTH=1,CODECS="zzzz"', 'a'), I('BANDWIDTH=9,CODECS="avc1.64001f",URI="i",RESOLUTION=2x2'), V('BANDWIDTH=2,CODECS="zzzz"', 'b'), V('BANDWIDTH=3', 'c')),
  manifest('all unknown, one I-frame variant', V('BANDWIDTH=1,CODECS="zzzz"', 'a'), V('BANDWIDTH=2,CODECS="zzzz"', 'b'), I('BANDWIDTH=9,URI="i"')),
  manifest('I-frame variant without URI', V('BANDWIDTH=1', 'a'), I('BANDWIDTH=9')),
  manifest('only I-frame variants', I('BANDWIDTH=9,URI="i"')),
  manifest('image codec is known', V('BANDWIDTH=1,CODECS="mjpg"', 'a'), V('BANDWIDTH=2,CODECS="avc1.64001f"', 'b')),
  manifest('text codecs are known', V('BANDWIDTH=1,CODECS="stpp.ttml.im1t,avc1.64001f"', 'a'), V('BANDWIDTH=2,CODECS="wvtt"', 'b')),
  manifest('CRLF and lone CR', '#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=640x360\r\n\r\nv\r\n#EXT-X-STREAM-INF:BANDWIDTH=2\rw\r'),
  manifest('tags between a variant and its URI', '#EXT-X-STREAM-INF:BANDWIDTH=1\n#comment\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="g",NAME="n",URI="m"\n#EXT-X-STREAM-INF:BANDWIDTH=2\nv\n'),
  manifest('white space around', '  #EXT-X-STREAM-INF:BANDWIDTH=1 , RESOLUTION=640x360\n  v.m3u8 \t\n'),
  manifest('attributes: spaces, repeats, no quotes', V('BANDWIDTH=1, CODECS=avc1.64001f, FRAME-RATE=25,FRAME-RATE=30', 'v')),
  manifest('attributes: commas and quotes in quotes', A('GROUP-ID="g",NAME="a,b"c",LANGUAGE="en",URI="m"'), V('BANDWIDTH=1,AUDIO="g",CODECS="avc1.64001f,mp4a.40.2"', 'v')),
  manifest('attributes: empty', A('GROUP-ID="",NAME="",LANGUAGE="",URI=""'), V('BANDWIDTH=1,CODECS="",FRAME-RATE=,VIDEO-RANGE=""', 'v')),
  manifest('attributes: broken quotes', V('BANDWIDTH=1,CODECS="avc1.64001f,RESOLUTION=640x360', 'v'), V('BANDWIDTH=2,NAME=",CODECS="', 'w')),
  manifest('numbers: odd bandwidths', V('BANDWIDTH=1e6', 'a'), V('BANDWIDTH= 12 ', 'b'), V('BANDWIDTH=99999999999999999999', 'c'), V('BANDWIDTH=-5', 'd'), V('BANDWIDTH=x,AVERAGE-BANDWIDTH=7', 'e'), V('BANDWIDTH="8"', 'f'), V('BANDWIDTH=0,AVERAGE-BANDWIDTH=x,CODECS="avc1.64001f"', 'g')),
  manifest('numbers: odd resolutions', V('BANDWIDTH=1,RESOLUTION=640X360', 'a'), V('BANDWIDTH=2,RESOLUTION=0640x0360', 'b'), V('BANDWIDTH=3,RESOLUTION="1x1"', 'c'), V('BANDWIDTH=4,RESOLUTION=1x2x3', 'd'), V('BANDWIDTH=5,RESOLUTION=x2', 'e')),
  manifest('numbers: odd frame rates', V('BANDWIDTH=1,FRAME-RATE=30000/1001', 'a'), V('BANDWIDTH=2,FRAME-RATE="29.970"', 'b'), V('BANDWIDTH=3,FRAME-RATE=0.000', 'c'), V('BANDWIDTH=4,FRAME-RATE=0x1e', 'd')),
  manifest('URIs', V('BANDWIDTH=1', '../../../x/./y/../v?q=../..#f'), V('BANDWIDTH=2', '//h2/a/../b'), V('BANDWIDTH=3', 'HTTPS://H3:443/%7Ea/é b'), V('BANDWIDTH=4', '?only=query'), V('BANDWIDTH=5', 'a;p=1/b;q')),
  manifest('variables', '#EXT-X-DEFINE:NAME="p",VALUE="x/y"\n#EXT-X-DEFINE:NAME="q",VALUE="{$p}/z"\n#EXT-X-DEFINE:QUERYPARAM="sig"\n#EXT-X-DEFINE:QUERYPARAM="x"\n',
    A('GROUP-ID="{$p}",NAME="{$x}",LANGUAGE="en",URI="{$sig}"'), V('BANDWIDTH={$p},AUDIO="{$p}",CODECS="mp4a.40.2"', '{$q}/{$sig}/{$ p}/{$')),
  manifest('variable not defined', V('BANDWIDTH=1', '{$nope}')),
  manifest('variable defined later', V('BANDWIDTH=1', '{$p}'), '#EXT-X-DEFINE:NAME="p",VALUE="x"\n'),
  manifest('variable defined twice', '#EXT-X-DEFINE:NAME="p",VALUE="x"\n#EXT-X-DEFINE:NAME="p",VALUE="x"\n', V('BANDWIDTH=1', 'v')),
  manifest('query parameter that is not there', '#EXT-X-DEFINE:QUERYPARAM="nope"\n', V('BANDWIDTH=1', 'v')),
  manifest('query parameter without value', '#EXT-X-DEFINE:QUERYPARAM="empty"\n', V('BANDWIDTH=1', 'v{$empty}')),
  manifest('audio: invented track', A('GROUP-ID="g",NAME="English",URI="m"'), V('BANDWIDTH=1,CODECS="avc1.64001f,mp4a.40.2"', 'v')),
  manifest('audio: no invented track if a group is named', A('GROUP-ID="g",NAME="English",URI="m"'), V('BANDWIDTH=1,CODECS="avc1.64001f,mp4a.40.2",AUDIO="none"', 'v')),
  manifest('audio: group of the second variant', A('GROUP-ID="g",NAME="English",URI="m"'), V('BANDWIDTH=1,CODECS="mp4a.40.2",AUDIO="h"', 'v'), V('BANDWIDTH=2,CODECS="ec-3/x,Opus",AUDIO="g"', 'w')),
  manifest('audio: empty group', A('NAME="English",URI="m"'), V('BANDWIDTH=1,CODECS="mp4a.40.2"', 'v'), V('BANDWIDTH=2,CODECS="ec-3",AUDIO=""', 'w')),
  manifest('audio: codec that a browser renames', A('GROUP-ID="g",NAME="E",URI="m"'), V('BANDWIDTH=1,CODECS="avc1.64001f,mp4a.40.34",AUDIO="g"', 'v')),
  manifest('audio: type is case sensitive', '#EXT-X-MEDIA:TYPE=audio,GROUP-ID="g",URI="m"\n#EXT-X-MEDIA:TYPE="AUDIO",GROUP-ID="g",NAME="q",URI="n"\n', V('BANDWIDTH=1', 'v')),
  manifest('audio: same URI as a variant', A('GROUP-ID="g",NAME="E",URI="v"'), V('BANDWIDTH=1', 'v')),
  manifest('no variants', '#EXT-X-VERSION:6\n'),
  { id: 'no magic', url, playlist: V('BANDWIDTH=1', 'v') },
  { id: 'magic only', url, playlist: '#EXTM3U' },
];

const mediaUrl = 'https://cdn.example.com/live/v.m3u8?q=1';
const media = (id, ...texts) => ({ id, url: mediaUrl, texts: texts.map((t) => `#EXTM3U\n${t}`) });
const T = '#EXT-X-TARGETDURATION:4\n';
const S = (n) => `#EXT-X-MEDIA-SEQUENCE:${n}\n`;
const F = (uri, seconds = '4') => `#EXTINF:${seconds},\n${uri}\n`;
const END = '#EXT-X-ENDLIST\n';

const mediaCases = [
  media('EXTINF without comma', `${T}#EXTINF:4\na.ts\n#EXTINF: 3.5\nb.ts\n#EXTINF:.5,\nc.ts\n#EXTINF:2.,\nd.ts\n`),
  media('titles', `${T}#EXTINF:4,one, two\na.ts\n#EXTINF:4,#EXTINF:5,\nb.ts\n#EXTINF:4,  \n\n\nc.ts\n`),
  media('a URI without EXTINF', `${T}${S(9)}a.ts\n${F('b.ts')}c.ts\n`),
  media('two EXTINF for one URI', `${T}#EXTINF:3,\n#EXTINF:2,\na.ts\n`),
  media('blank line after a key', `${T}#EXT-X-KEY:METHOD=AES-128,URI="k"\n\n${F('a.ts')}`),
  media('CRLF', `${T}${S(5)}${F('a.ts')}${F('b.ts')}`.replace(/\n/g, '\r\n')),
  media('spaces', `${T}${S(' 5')}#EXTINF:4,\n   a.ts  \n#EXT-X-ENDLIST  \n`),
  media('target duration with fraction', `#EXT-X-TARGETDURATION:4.9\n${F('a.ts')}`),
  media('target duration 0', `#EXT-X-TARGETDURATION:0\n${F('a.ts')}`),
  media('no target duration', F('a.ts')),
  media('sequence after a segment', `${T}${F('a.ts')}${S(5)}${F('b.ts')}`),
  media('sequence twice', `${T}${S(5)}${S(6)}${F('a.ts')}`),
  media('ENDLIST first', `${T}${END}${S(8)}${F('a.ts')}`),
  media('VOD type without end is live', `${T}${S(3)}#EXT-X-PLAYLIST-TYPE:VOD\n${F('a.ts')}`),
  media('repeated URI in VOD takes a position', `${T}${S(3)}${F('a.ts')}${F('a.ts')}${F('b.ts')}${END}`),
  media('range without offset first', `${T}#EXTINF:4,\n#EXT-X-BYTERANGE:100\na.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:50\nb.mp4\n#EXTINF:4,\nc.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:10\na.mp4\n`),
  media('range before EXTINF and MAP', `${T}#EXT-X-BYTERANGE:100@700\n#EXT-X-MAP:URI="i",BYTERANGE="700@0"\n#EXTINF:4,\na.mp4\n#EXTINF:4,\n#EXT-X-MAP:URI="j"\n#EXT-X-BYTERANGE:5\na.mp4\n`),
  media('delta update', `${T}${S(10)}${F('a')}${F('b')}${F('c')}`, `${T}${S(11)}#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n${F('c')}${F('d')}`.replace('#EXT-X-SKIP', '#EXT-X-NOSKIP')),
  media('parts', `${T}${S(10)}#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-PART:DURATION=1,URI="p"\n${F('a')}#EXT-X-PART:DURATION=1,URI="q"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="r"\n`),
  media('gap and discontinuity', `${T}${S(10)}#EXT-X-GAP\n${F('a')}#EXT-X-DISCONTINUITY\n${F('b')}#EXT-X-DISCONTINUITY-SEQUENCE:4\n`),
  media('variables', `${T}#EXT-X-DEFINE:NAME="p",VALUE="x/y"\n#EXT-X-DEFINE:QUERYPARAM="q"\n${F('{$p}/{$q}.ts')}`),
  media('import without multivariant playlist', `${T}#EXT-X-DEFINE:IMPORT="p"\n${F('a.ts')}`),
  media('variable not defined', `${T}${F('{$p}.ts')}`),
  media('a segment that comes again under another number', `${T}${S(1)}${F('a')}${F('b')}`, `${T}${S(5)}${F('b')}${F('c')}`, `${T}${S(6)}${F('c')}${F('b')}${END}`),
  media('a segment that leaves and comes back', `${T}${S(1)}${F('a')}${F('b')}`, `${T}${S(2)}${F('b')}`, `${T}${S(7)}${F('a')}`),
  media('event that ends', `${T}${S(0)}${F('a')}`, `${T}${S(0)}${F('a')}${F('b')}${END}`),
  media('URIs', `${T}${F('../x/./y/../a.ts?t=1#f')}${F('//h2/b.ts')}${F('c d é.ts')}${F('HTTP://X/Y')}`),
];

// URLs as a browser prints them in responseURL, alone and against a base.
const urls = [
  'https://h', 'HTTPS://H.Example:443/A/b', 'http://h:80/', 'http://h:0080/', 'http://h:8080', 'https://h:80/x', 'http:\\\\h\\a\\b', 'http:/h/a', 'http:h/a', ' http://h/a b ', 'http://h/a\tb\nc',
  'http://h/é日😀', 'http://h/%7e%zz%', 'http://h/"<>`{}|\'()[]!$&*+,;=:@~', 'http://h/?"<>`{}|\'()[]\\', 'http://h/a?b?c#d?e', 'http://h/a/./b/../c/%2e/%2E%2e/d', 'http://h/../..', 'http://h/a/..', 'http://h/a/.', 'http://h//a//../b',
  'http://h/a;p=1/./b;q', 'http://u:p@h/a', 'http://h?q', 'http://h#f', 'ftp://h/a', 'http://', 'http://h:x/', 'http://a b/', 'http://[::1]:80/a', 'https://[2001:DB8::1]/a', 'x', '',
];
const references = ['', 'v', './v', '../v', '../../../v', '/v', '//o/v', '//O:443/v', 'https://o/v', '?q', '#f', 'a/../b', '\\v', 'HTTP://O/V', 'ftp://o/v', 'a b', 'a:b', 'x/y:z', '?a#b', '/a/%2e%2e/b', 'é?é'];
const referenceBases = ['https://h/a/b/c?q=1', 'http://h/', 'https://h:8443/a/'];

module.exports = { urls, references, referenceBases, manifests, media: mediaCases };
