// Reports how many bytes a page received from which source, and delays HTTP downloads only while a seeder
// is connected. It has no dependencies, and works with p2p-media-loader-hlsjs 2.3 and p2p-media-loader-shaka 2.2.2.
//
//   const config = await (await fetch("https://tracker.example.com/v1/config")).json();
//   const hls = new HlsWithP2P({ ...config.settings.hlsjs, p2p: { core: config.settings.core } });
//   P2PStream.attach(hls.p2pEngine, config, video);
//
// Fetch the configuration once for each attach: its session identifies one player.

const clock = () => performance.now();

// Seeders are recognised by their peer id for statistics only; any peer can use such an id.
const isSeeder = (peerId) => /^-PS/.test(peerId);

// near tells of peers, by their ids, whether they are in the site of this page: with sites, the tracker says so with each
// offer and answer. It keeps the last thousand.
const near = new Map();
const hear = ({ data }) => {
  if (!/"p2pstream":/.test(data)) return;
  const { peer_id: id, p2pstream } = JSON.parse(data);
  near.delete(id);
  near.set(id, p2pstream?.near);
  if (near.size > 1000) near.delete(near.keys().next().value);
};

// sockets has the last WebSocket that the page used for each announce URL of a configuration: reports travel over it.
const sockets = new Map();
let watched;
const watchSockets = () => {
  if (watched) return;
  watched = true;
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    if (sockets.has(this.url)) {
      sockets.set(this.url, this);
      this.addEventListener("message", hear); // once, however often it is added
    }
    return send.call(this, data);
  };
};

// judges are told of each connection that the page makes, before it gathers candidates.
const judges = new Set();
let judged;
const watchConnections = () => {
  const { prototype } = globalThis.RTCPeerConnection ?? {};
  if (judged || !prototype) return;
  judged = true;
  const { setLocalDescription } = prototype;
  prototype.setLocalDescription = function (...args) {
    judges.forEach((judge) => judge(this));
    return setLocalDescription.apply(this, args);
  };
};

// attach(engine, config, video) starts reporting. The video element is optional: without it startup time and stalls are
// not reported. The returned object has counters, peers (a Map), stalls() and stop(). part(name) loads a part of the
// script, "check" or "report"; without it they come from the tracker. firstFrameMs is how long it took to the first frame
// of a video that plays already, and asked when the page asked to play, as performance.now() tells it.
export const attach = (engine, config, video, { part, firstFrameMs, asked: since } = {}) => {
  watchSockets();
  part ??= (name) => import(new URL(`../p2pstream-${name}.mjs`, config.telemetry.url));
  const { telemetry, settings } = config;
  const { core } = settings;
  const { noPeerMs, peerMs, firstPeerMs, startMs, withSeeders, withoutSeeders } = settings.runtime || {};
  const counters = { http: 0, seeder: 0, viewer: 0, discarded: 0, uploaded: 0 };
  const peers = new Map();
  const played = {}; // rendition → bytes by source
  const running = new Map(); // peer id, undefined for HTTP → the rendition of its last segment
  const unfinished = new Map(); // URL of a segment → when its last attempt ended without success
  const begun = clock();
  let asked = begun; // when playback was requested
  let active = 0;
  let completed = 0;
  let startupMs = firstFrameMs || 0;
  let stalls = 0;
  let stallMs = 0;
  let stalledAt = 0;
  let reporter, stopped;

  const received = () => counters.http + counters.seeder + counters.viewer;
  // In a site few pages are led to seeders. The others get from these what seeders hold.
  const brings = (peerId) => isSeeder(peerId) || (config.seeders > 0 && near.get(peerId));
  const brought = () => [...peers.keys()].some((key) => brings(key.slice(-20))); // a peer id has 20 characters

  // ---- settings that change while the page plays

  const apply = (options) => engine.applyDynamicConfig({ core: options });
  // 2.2.2 has no option for the initial wait; there setting the HTTP slots to 0 has the same effect.
  const knowsWait = "httpDownloadInitialTimeoutMs" in (engine.getConfig().core.mainStream || core);
  const hold = (ms) =>
    apply(knowsWait ? { httpDownloadInitialTimeoutMs: ms } : { simultaneousHttpDownloads: ms ? 0 : core.simultaneousHttpDownloads });
  let waiting = !!noPeerMs; // until bytes arrive from peers, or the wait for them is over
  const inner = engine.core;
  const lift = () => {
    if (!waiting) return;
    waiting = false;
    hold(0);
    // The loader processes its queue only on events: an update without changes is one.
    inner.streams.forEach((_, id) => inner.updateStream(id));
  };
  // Whether UDP passes is known long before a peer is: browsers hide their own address behind a .local name, and then a
  // STUN server that answers always shows another one. Where it does not, no peer will come. Where it does, peers may be
  // far away, or the page slow, so the wait for the first one is longer.
  let passes;
  // When the origin gives the first segment after all, what is played meanwhile is time for the peers of the next one, which
  // mostly has another quality and so a swarm of its own. late is that first segment, or 1 before it begins.
  let late;
  const giveUp = () => {
    if (late != null || brought()) return;
    late = passes ?? 1;
    lift();
  };
  const judge = (connection) => {
    judges.delete(judge);
    connection.addEventListener("icecandidate", ({ candidate }) => {
      const { type, address } = candidate ?? {};
      if (type == "srflx" && !passes) {
        passes = true;
        if (knowsWait && waiting) hold(peerMs);
      } else if (type == "host" && /\.local$/.test(address)) {
        setTimeout(() => {
          if (passes) return;
          passes = late = 0;
          lift();
        }, 100);
      }
    });
  };
  // The loader connects to peers from the first request on, so that is when the wait begins.
  if (waiting && inner?.streams && inner.loadSegment) {
    const load = inner.loadSegment;
    if (!knowsWait) hold(1);
    if (config.iceServers?.some(({ urls }) => /^stun:/.test(urls))) {
      watchConnections();
      judges.add(judge);
    }
    inner.loadSegment = function (...args) {
      inner.loadSegment = load;
      setTimeout(() => (passes && firstPeerMs ? setTimeout(giveUp, firstPeerMs - noPeerMs) : giveUp()), noPeerMs);
      // What the page has spent on loading player, engine and settings is no time to wait for peers.
      if (since + startMs && !firstFrameMs) setTimeout(giveUp, since + startMs - clock()); // not a number without one of them
      setTimeout(() => late || lift(), peerMs);
      return load.apply(inner, args);
    };
  } else waiting = false;
  const tune = () => {
    if (!stopped && withSeeders) apply(brought() ? withSeeders : withoutSeeders);
  };
  setTimeout(tune, 5e3);

  // ---- checking what peers gave: a segment waits for p2pstream-check.mjs, and is taken if that cannot be loaded

  const checks = {};
  const checker = part("check").then((m) => m.checker(engine, config, checks)).catch(() => (own) => own());
  ["mainStreamConfig", "secondaryStreamConfig"].map((stream) =>
    ["P2P", "HTTP"].map((kind) => {
      const hooks = inner?.[stream] || {};
      const hook = `validate${kind}Segment`;
      const own = hooks[hook];
      hooks[hook] = async (...segment) => (await checker)(() => !own || own(...segment), kind, ...segment);
    }),
  );

  // ---- counting

  // A rendition is named by its type and index, as in its stream's swarm id. Reports hold eight.
  const renditionOf = (segmentId) => {
    const stream = [...(inner?.streams?.values() ?? [])].find(({ segments }) => segments.has(segmentId));
    const name = stream ? `${stream.type}-${stream.index}` : "other";
    return played[name] || Object.keys(played).length < 7 ? name : "other";
  };
  const ended = ({ segment }) => {
    active--;
    unfinished.set(segment.url, clock());
  };
  const listeners = {
    onChunkDownloaded: (bytes, source, peerId) => {
      const from = source == "http" ? source : isSeeder(peerId) ? "seeder" : "viewer";
      counters[from] += bytes;
      const r = running.get(peerId) ?? "other";
      const rendition = (played[r] ??= { r });
      const part = from == source ? "origin" : from + (near.get(peerId) ? "Inside" : "Outside");
      rendition[part] = (rendition[part] || 0) + bytes;
    },
    onChunkUploaded: (bytes) => {
      counters.uploaded += bytes;
    },
    onSegmentStart: ({ segment, peerId }) => {
      active++;
      running.set(peerId, renditionOf(segment.runtimeId));
      unfinished.delete(segment.url);
      if (late == 1) late = segment;
    },
    onSegmentLoaded: ({ segmentUrl, bytesLength }) => {
      active--;
      completed += bytesLength;
      unfinished.delete(segmentUrl);
      if (late?.url != segmentUrl) return;
      waiting = true;
      hold(1e4);
      setTimeout(lift, Math.min((late.endTime - late.startTime) * 667, 2e3));
    },
    onSegmentError: ended,
    onSegmentAbort: ended,
    onPeerConnect: ({ streamType, peerId }) => {
      peers.set(streamType + peerId, isSeeder(peerId));
      if (!brings(peerId)) return;
      tune();
      if (waiting) {
        if (knowsWait) hold(peerMs);
        const before = received() - counters.http;
        setTimeout(() => received() - counters.http > before || lift(), 500);
      }
    },
    onPeerClose: ({ streamType, peerId }) => {
      peers.delete(streamType + peerId);
      running.delete(peerId);
      setTimeout(tune, 3e3);
    },
  };
  // The library keeps the bytes of an incomplete attempt and completes the segment later. So bytes count as discarded only
  // when no download is running and no attempt of the last half minute is incomplete.
  const countDiscarded = () => {
    unfinished.forEach((at, url) => clock() - at > 3e4 && unfinished.delete(url));
    if (active < 1 && !unfinished.size) counters.discarded = Math.max(counters.discarded, received() - completed);
  };

  const stallEnds = () => {
    if (stalledAt) stallMs += clock() - stalledAt;
    stalledAt = 0;
  };
  const watchers = {
    play: () => {
      if (!startupMs && !video.autoplay) asked = clock(); // with autoplay, playback was requested before the event
    },
    playing: () => {
      startupMs = startupMs || Math.round(clock() - asked) || 1;
      stallEnds();
    },
    waiting: () => {
      if (!startupMs || stalledAt || video.seeking || video.paused) return;
      stalledAt = clock();
      stalls++;
    },
    timeupdate: () => late?.endTime - video.currentTime < 0.9 && lift(),
    pause: stallEnds,
    emptied: stallEnds,
  };
  // ---- reporting

  const sample = () => {
    countDiscarded();
    return {
      counters, peers: peers.size, stalls, stallMs: Math.round(stallMs + (stalledAt && clock() - stalledAt)), startupMs, checks,
      played: Object.values(played),
    };
  };
  const announce = new URL(config.trackers[0]).href; // as WebSocket.url has it
  sockets.set(announce, undefined);
  part("report").then((m) => {
    if (!stopped) reporter = m.reporter(config, announce, sockets, sample);
  }, () => {}); // without it the page plays and does not report
  const leave = (event) => {
    if (event.type == "pagehide" || document.hidden) reporter?.leave();
  };
  const all = [[engine, listeners], [video, watchers], [globalThis, { pagehide: leave }], [document, { visibilitychange: leave }]];
  const each = (verb) => all.map(([target, list]) => {
    for (const name in list) target?.[`${verb}EventListener`](name, list[name]);
  });
  each("add");

  return {
    counters,
    peers,
    played,
    stalls: () => stalls,
    stop() {
      if (stopped) return;
      stopped = true;
      judges.delete(judge);
      lift();
      reporter?.leave();
      reporter?.stop();
      sockets.delete(announce);
      each("remove");
    },
  };
};
