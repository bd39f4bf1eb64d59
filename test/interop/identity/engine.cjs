// Runs playlists through the real hls.js and the real p2p-media-loader engine
// and says which renditions and segments the engine then knows.
'use strict';
const crypto = require('crypto');
const path = require('path');
const { loadHls, browserNames } = require('./load.cjs');

// loadEngine bundles the published ES modules, since Node cannot load all of
// the modules that they import.
function loadEngine(modules) {
  browserNames();
  const esbuild = require(path.join(modules, 'esbuild'));
  const result = esbuild.buildSync({
    stdin: {
      contents: 'export { HlsJsP2PEngine } from "p2p-media-loader-hlsjs"; export { generateStreamShortId } from "p2p-media-loader-core";',
      resolveDir: path.dirname(modules),
    },
    bundle: true, write: false, format: 'cjs', platform: 'browser', conditions: ['p2pml:core-as-bundle'], logLevel: 'error',
    nodePaths: [modules],
  });
  const module = { exports: {} };
  new Function('module', 'exports', 'require', result.outputFiles[0].text)(module, module.exports, require);
  return module.exports;
}

class Reference {
  constructor(modules) {
    Object.assign(this, loadHls(modules), loadEngine(modules));
  }

  // manifest plays a manifest text that came from responseUrl and returns the
  // engine's swarm id and streams, or the player's error.
  manifest(text, responseUrl) {
    const engine = new this.HlsJsP2PEngine({ core: { announceTrackers: [] } });
    class Loader {
      constructor() { this.stats = newStats(); this.context = null; }
      load(context, config, callbacks) {
        this.context = context;
        if (context.type !== 'manifest') return;
        const xhr = Object.assign(new XMLHttpRequest(), { responseURL: responseUrl, status: 200 });
        callbacks.onSuccess({ url: responseUrl, data: text, code: 200 }, this.stats, context, xhr);
      }
      abort() {}
      destroy() {}
      getResponseHeader() { return null; }
      getCacheAge() { return null; }
    }
    const hls = new this.Hls({ ...engine.getConfigForHlsJs(), loader: Loader, enableWorker: false, autoStartLoad: false });
    let error = null;
    hls.on('hlsError', (_, data) => { error = error || data.details; });
    let loaded = false;
    hls.on('hlsManifestLoaded', () => { loaded = true; });
    engine.bindHls(hls);
    hls.loadSource(responseUrl);
    const swarmId = engine.core.manifestResponseUrl;
    const streams = [...engine.core.streams.values()].map((s) => describe(swarmId, s));
    hls.destroy();
    return loaded ? { swarmId, streams } : { error };
  }

  // media feeds loads of one media playlist to the engine, one after another,
  // and returns its segment map after each.
  media(streamRuntimeId, loads) {
    const engine = new this.HlsJsP2PEngine({ core: { announceTrackers: [] } });
    engine.core.addStreamIfNoneExists({ runtimeId: streamRuntimeId, type: 'main', index: '0' });
    return loads.map((load) => {
      const details = this.M3U8Parser.parseLevelPlaylist(load.text, load.responseUrl, 0, 'main', 0, null);
      if (details.playlistParsingError) return { error: details.playlistParsingError.message };
      engine.segmentManager.updatePlaylist({ details });
      const stream = engine.core.getStream(streamRuntimeId);
      return {
        live: details.live,
        segments: [...stream.segments.values()].map((s) => ({
          externalId: s.externalId, runtimeId: s.runtimeId, byteRange: s.byteRange || null,
          startTime: s.startTime, endTime: s.endTime,
        })),
      };
    });
  }
}

function describe(swarmId, stream) {
  const streamSwarmId = `v2-${swarmId}-${stream.type}-${stream.index}`;
  const infoHash = crypto.createHash('sha1').update(streamSwarmId).digest().subarray(0, 15).toString('base64');
  return {
    type: stream.type, runtimeId: stream.runtimeId, streamShortId: stream.index, streamSwarmId, infoHash,
    infoHashHex: Buffer.from(infoHash, 'latin1').toString('hex'),
  };
}

function newStats() {
  return {
    aborted: false, loaded: 0, retry: 0, total: 0, chunkCount: 0, bwEstimate: 0,
    loading: { start: 0, first: 0, end: 0 }, parsing: { start: 0, end: 0 }, buffering: { start: 0, first: 0, end: 0 },
  };
}

module.exports = { Reference };
