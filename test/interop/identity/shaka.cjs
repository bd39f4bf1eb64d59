// Runs MPDs through the real Shaka Player's DASH parser and the real plug-in of
// p2p-media-loader, and says which streams and segments the plug-in then knows.
'use strict';
const fs = require('fs');
const path = require('path');
const vm = require('vm');
const { versionOf } = require('./load.cjs');

// Clock is the time that the player sees, and its timers. No time passes by
// itself, so that results do not depend on when they are made.
class Clock {
  constructor() { this.now = 0; this.timers = []; this.last = 0; }
  set(callback, milliseconds) {
    this.timers.push({ id: ++this.last, due: this.now + (milliseconds || 0), callback });
    return this.last;
  }
  clear(id) { this.timers = this.timers.filter((t) => t.id !== id); }
  clearAll() { this.timers = []; }
  // advance runs what is due until then, in order.
  async advance(then) {
    for (;;) {
      const due = this.timers.filter((t) => t.due <= then).sort((a, b) => a.due - b.due)[0];
      if (!due) break;
      this.clear(due.id);
      this.now = Math.max(this.now, due.due);
      due.callback();
      await settle();
    }
    this.now = then;
  }
}

async function settle() { for (let i = 0; i < 50; i++) await null; }

// loadShaka runs the player in a context of its own, with the browser names
// that it looks at.
function loadShaka(modules, clock) {
  const file = path.join(modules, 'shaka-player/dist/shaka-player.compiled.debug.js');
  const element = () => ({ style: {}, setAttribute() {}, appendChild() {}, canPlayType() { return ''; }, addEventListener() {}, removeEventListener() {} });
  const quiet = Object.fromEntries(['log', 'info', 'warn', 'error', 'debug', 'assert'].map((name) => [name, () => {}]));
  const page = {
    console: quiet, URL, TextDecoder, TextEncoder, performance, queueMicrotask, Event, EventTarget, AbortController, atob, btoa, crypto,
    Map, // the plug-in looks for maps of the player, and has the Map of this context
    setTimeout: (f, ms) => clock.set(f, ms), clearTimeout: (id) => clock.clear(id), setInterval: () => 0, clearInterval() {},
    navigator: { userAgent: 'Chrome/120', vendor: 'Google Inc.', platform: 'Linux', language: 'en', languages: ['en'], maxTouchPoints: 0 },
    document: { createElement: element, createElementNS: element, addEventListener() {}, removeEventListener() {}, documentElement: element(), body: element() },
    location: { href: 'https://page.example/', protocol: 'https:', host: 'page.example', hostname: 'page.example' },
    addEventListener() {}, removeEventListener() {}, dispatchEvent() {}, matchMedia: () => ({ matches: false, addEventListener() {} }),
    MediaSource: Object.assign(function () {}, { isTypeSupported: () => true }),
    HTMLVideoElement: function () {}, Element: function () {}, XMLHttpRequest: function () {}, fetch() {}, screen: {}, Text: function () {},
  };
  page.window = page.self = page.globalThis = page;
  page.module = { exports: {} };
  page.exports = page.module.exports;
  vm.createContext(page);
  page.clock = clock;
  vm.runInContext('Date.now = () => clock.now;', page);
  vm.runInContext(fs.readFileSync(file, 'utf8'), page, { filename: file });
  return page.module.exports.Player ? page.module.exports : page.shaka;
}

// loadPlugin bundles the plug-in's own modules with the engine that it pins.
function loadPlugin(modules) {
  const esbuild = require(path.join(modules, 'esbuild'));
  const folder = path.join(modules, 'p2p-media-loader-shaka');
  const result = esbuild.buildSync({
    stdin: {
      contents: 'export { DashManifestParser, HlsManifestParser } from "./lib/manifest-parser-decorator.js"; export { SegmentManager } from "./lib/segment-manager.js"; export { Core } from "p2p-media-loader-core";',
      resolveDir: folder,
    },
    bundle: true, write: false, format: 'cjs', platform: 'browser', conditions: ['p2pml:core-as-bundle'], logLevel: 'error', nodePaths: [modules],
  });
  const module = { exports: {} };
  new Function('module', 'exports', 'require', result.outputFiles[0].text)(module, module.exports, require);
  return module.exports;
}

class ShakaReference {
  constructor(modules) {
    require('./load.cjs').browserNames();
    this.clock = new Clock();
    this.shaka = loadShaka(modules, this.clock);
    this.plugin = loadPlugin(modules);
    this.versions = { 'shaka-player': versionOf(modules, 'shaka-player'), 'p2p-media-loader-shaka': versionOf(modules, 'p2p-media-loader-shaka') };
    const player = this.shaka.util.PlayerConfiguration.createDefault();
    this.config = player.manifest;
    this.lowLatencyMode = player.streaming.lowLatencyMode;
  }

  // run opens the manifest of a case and reloads it at each further step.
  // bodies gives the body of a URL. Steps are {now, mpd}: milliseconds since
  // 1970 and text. With plays set, references are taken as the player takes
  // them, from where it starts on, and the result is what the plug-in knows
  // then; else all of them are listed. With files set the manifest is one of HLS:
  // files has the texts of each playlist, one for each step.
  async run({ url, steps, bodies, plays, files }) {
    const { shaka, plugin, clock } = this;
    clock.clearAll();
    clock.now = steps[0].now;
    let mpd = steps[0].mpd;
    let at = 0;
    const textOf = (uri) => {
      if (!files) return mpd;
      const texts = files[uri];
      if (!texts) throw new Error(`there is no ${uri}`);
      return texts[Math.min(at, texts.length - 1)];
    };
    const core = new plugin.Core();
    const streamInfo = {};
    const segmentManager = new plugin.SegmentManager(streamInfo, core);
    let timeline = null;
    const player = { isLive: () => timeline && timeline.isLive() };
    const networkingEngine = {
      p2pml: { segmentManager, player, streamInfo },
      request: (type, request) => {
        const uri = request.uris[0];
        const isManifest = type === shaka.net.NetworkingEngine.RequestType.MANIFEST;
        const bytes = isManifest ? new TextEncoder().encode(textOf(uri)) : bodies(uri);
        const range = request.headers && request.headers.Range;
        let data = bytes;
        if (range) {
          const [, from, to] = /bytes=(\d+)-(\d*)/.exec(range);
          data = bytes.subarray(Number(from), to ? Number(to) + 1 : undefined);
        }
        const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
        return shaka.util.AbortableOperation.completed({ uri: isManifest && !files ? url : uri, originalUri: uri, data: buffer, headers: {}, timeMs: 1, fromCache: false });
      },
    };
    const parser = files ? new plugin.HlsManifestParser(shaka) : new plugin.DashManifestParser(shaka);
    parser.configure(this.config, () => false);
    const nothing = () => {};
    let failed = null;
    const playerInterface = {
      networkingEngine, filter: nothing, makeTextStreamsForClosedCaptions: nothing, onTimelineRegionAdded: nothing, onEvent: nothing,
      onError: (error) => { failed = error; }, isLowLatencyMode: () => this.lowLatencyMode, updateDuration: nothing, newDrmInfo: nothing,
      onManifestUpdated: nothing, getBandwidthEstimate: () => 1e6, onMetadata: nothing, disableStream: nothing, addFont: nothing,
      modifyManifestRequest: nothing, modifySegmentRequest: nothing, enableLowLatencyMode: nothing, isAutoLowLatencyMode: () => false, getConfiguration: () => ({}),
    };
    const out = [];
    try {
      const manifest = await parser.start(url, playerInterface);
      timeline = manifest.presentationTimeline;
      const known = [];
      for (const { video, audio, bandwidth } of manifest.variants) {
        for (const stream of [video, audio]) {
          if (!stream || known.some((k) => k.stream === stream)) continue;
          known.push({ stream, bandwidth });
          await stream.createSegmentIndex();
          if (files) take(stream);
        }
      }
      const told = files ? this.numbered : plays ? this.played : this.state;
      out.push(told.call(this, manifest, core, known));
      for (const step of steps.slice(1)) {
        await clock.advance(step.now);
        mpd = step.mpd;
        at++;
        failed = null;
        await parser.update();
        if (failed) throw failed;
        if (files) for (const { stream } of known) take(stream);
        out.push(told.call(this, manifest, core, known));
      }
    } catch (error) {
      const code = error && error.code !== undefined ? this.nameOf(error.code) : String(error && error.message || error);
      out.push({ error: code });
    }
    clock.clearAll();
    return out;
  }

  nameOf(code) {
    const all = this.shaka.util.Error.Code;
    return Object.keys(all).find((name) => all[name] === code) || String(code);
  }

  // state is what the plug-in registered (type and index) and all segments that
  // the player has.
  state(manifest, core, known) {
    const streams = known.map(({ stream, bandwidth }) => {
      const registered = core.getStream(String(stream.id));
      const references = [];
      stream.segmentIndex.forEachTopLevelReference((r) => references.push(r));
      return {
        type: registered.type, index: registered.index, variantBandwidth: bandwidth,
        kind: stream.type, originalId: stream.originalId, codecs: stream.codecs, mimeType: stream.mimeType, bandwidth: stream.bandwidth,
        width: stream.width, height: stream.height, frameRate: stream.frameRate, hdr: stream.hdr, language: stream.language,
        label: stream.label, channels: stream.channelsCount, roles: stream.roles, encrypted: stream.encrypted,
        references: references.map((r) => describe(this.shaka, r)),
      };
    });
    return { live: manifest.presentationTimeline.isLive(), streams };
  }

  // numbered is what the plug-in knows of each stream of an HLS manifest.
  numbered(manifest, core, known) {
    return {
      live: manifest.presentationTimeline.isLive(),
      streams: known.map(({ stream }) => {
        const { type, index, segments } = core.getStream(String(stream.id));
        return { type, index, url: playlistOf(stream), segments: [...segments.values()].map((s) => ({ externalId: s.externalId, url: s.url, byteRange: s.byteRange || null })) };
      }),
    };
  }

  // played is how many segments the plug-in knows of each stream after a player
  // has taken what it buffers, from its start to the end of the window.
  played(manifest, core, known) {
    const timeline = manifest.presentationTimeline;
    return known.map(({ stream }) => {
      const listed = referencesFrom(stream.segmentIndex, timeline.isLive() ? timeline.getSeekRangeEnd() : timeline.getSeekRangeStart());
      return { taken: listed.length, known: core.getStream(String(stream.id)).segments.size };
    });
  }
}

// take reads a reference, as the player does before it fetches: the plug-in
// looks at the segments then.
function take(stream) {
  const references = [];
  stream.segmentIndex.forEachTopLevelReference((r) => references.push(r));
  if (references.length) stream.segmentIndex.get(stream.segmentIndex.find(references[0].getStartTime() + 0.01));
}

// playlistOf is the URL of a stream's playlist: that is where its segments are.
function playlistOf(stream) {
  const references = [];
  stream.segmentIndex.forEachTopLevelReference((r) => references.push(r));
  return references.length ? references[0].getUris()[0].replace(/[^/]*$/, '') : '';
}

function referencesFrom(index, time) {
  const out = [];
  const first = index.find(time);
  for (let i = first; i !== null; i++) {
    const reference = index.get(i);
    if (!reference) break;
    out.push(reference);
  }
  return out;
}

function describe(shaka, r) {
  const end = r.getEndByte();
  const init = initOf(shaka, r);
  return {
    externalId: Math.trunc(r.getStartTime() / 0.5), start: r.getStartTime(), end: finite(r.getEndTime()), uris: r.getUris(),
    ...(end === null ? {} : { range: [r.getStartByte(), end] }), ...(init ? { init } : {}),
  };
}

function finite(n) { return Number.isFinite(n) ? n : String(n); }

// initOf finds the reference's initialization segment, whatever the compiler
// called the property.
function initOf(shaka, reference) {
  const init = Object.values(reference).find((v) => v instanceof shaka.media.InitSegmentReference);
  if (!init) return null;
  const uris = (init.getUris || Object.values(init).find((v) => typeof v === 'function')).call(init);
  const end = init.getEndByte();
  return { uris, ...(end === null ? {} : { range: [init.getStartByte(), end] }) };
}

module.exports = { ShakaReference };
