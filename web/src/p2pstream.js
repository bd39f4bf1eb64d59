// p2pstream.js: reports what a page received and from whom, and lets HTTP stand back only while a seeder is connected.
// It needs nothing but a browser, and works with p2p-media-loader-hlsjs 2.3 and p2p-media-loader-shaka 2.2.2.
//
//   const config = await (await fetch("https://tracker.example.com/v1/config")).json();
//   const hls = new HlsWithP2P({ ...config.settings.hlsjs, p2p: { core: config.settings.core } });
//   P2PStream.attach(hls.p2pEngine, config, video);
//
// Ask for the configuration once for each attach: its session stands for one player.

const clock = () => performance.now();

// Peers are told apart for the statistics only; anybody may call himself a seeder in his peer id.
const isSeeder = (peerId) => (peerId || "").startsWith("-PS");

// attach(engine, config, video) starts reporting. The video element is optional: without it startup and stalls are
// not told. The returned object has counters, peers (a Map), stalls() and stop().
const attach = (engine, config, video) => {
  const { telemetry, settings } = config;
  const { core } = settings;
  const { noPeerMs, peerMs, withSeeders, withoutSeeders } = settings.runtime || {};
  const counters = { http: 0, seeder: 0, viewer: 0, discarded: 0, uploaded: 0 };
  const peers = new Map();
  const unfinished = new Map(); // URL of a segment → when its last attempt ended without success
  const begun = clock();
  let { session, intervalMs } = telemetry;
  let wait = intervalMs;
  let asked = begun; // when somebody wanted to play
  let active = 0;
  let completed = 0;
  let sequence = 0;
  let startupMs = 0;
  let stalls = 0;
  let stallMs = 0;
  let stalledAt = 0;
  let base, receipts, timer, stopped;

  const received = () => counters.http + counters.seeder + counters.viewer;
  const hasSeeder = () => [...peers.values()].includes(true);

  // ---- settings that change while the page plays

  const apply = (options) => engine.applyDynamicConfig({ core: options });
  // 2.2.2 knows no initial wait; there no HTTP slot does the same.
  const knowsWait = "httpDownloadInitialTimeoutMs" in (engine.getConfig().core.mainStream || core);
  const hold = (ms) =>
    apply(knowsWait ? { httpDownloadInitialTimeoutMs: ms } : { simultaneousHttpDownloads: ms ? 0 : core.simultaneousHttpDownloads });
  let waiting = !!noPeerMs; // until peers have brought something, or it is clear that they will not
  const inner = engine.core;
  const lift = () => {
    if (!waiting) return;
    waiting = false;
    hold(0);
    // The loader looks at its queue again only when something happens: an update without changes is such a thing.
    inner.streams.forEach((_, id) => inner.updateStream(id));
  };
  const liftUnless = (good, ms) => setTimeout(() => good() || lift(), ms);
  // Peers are looked for from the first request on, so that is when the wait begins.
  if (waiting && inner && inner.streams && inner.loadSegment) {
    const load = inner.loadSegment;
    if (!knowsWait) hold(1);
    inner.loadSegment = function (...args) {
      inner.loadSegment = load;
      liftUnless(hasSeeder, noPeerMs);
      setTimeout(lift, peerMs);
      return load.apply(inner, args);
    };
  } else waiting = false;
  const tune = () => {
    if (!stopped && withSeeders) apply(hasSeeder() ? withSeeders : withoutSeeders);
  };
  setTimeout(tune, 5000);

  // ---- counting

  const ended = ({ segment }) => {
    active--;
    unfinished.set(segment.url, clock());
  };
  const listeners = {
    onChunkDownloaded: (bytes, source, peerId) => {
      counters[source == "http" ? "http" : isSeeder(peerId) ? "seeder" : "viewer"] += bytes;
    },
    onChunkUploaded: (bytes) => {
      counters.uploaded += bytes;
    },
    onSegmentStart: ({ segment }) => {
      active++;
      unfinished.delete(segment.url);
    },
    onSegmentLoaded: ({ segmentUrl, bytesLength }) => {
      active--;
      completed += bytesLength;
      unfinished.delete(segmentUrl);
    },
    onSegmentError: ended,
    onSegmentAbort: ended,
    onPeerConnect: ({ streamType, peerId }) => {
      peers.set(streamType + peerId, isSeeder(peerId));
      if (!isSeeder(peerId)) return;
      tune();
      if (waiting) {
        if (knowsWait) hold(peerMs);
        const before = counters.seeder;
        liftUnless(() => counters.seeder > before, 500);
      }
    },
    onPeerClose: ({ streamType, peerId }) => {
      peers.delete(streamType + peerId);
      setTimeout(tune, 3000);
    },
  };
  for (const name in listeners) engine.addEventListener(name, listeners[name]);

  // What an attempt left behind is kept by the library and finished later, so bytes are known to be discarded only
  // when nothing is under way and nothing has been left for half a minute.
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
      if (!startupMs && !video.autoplay) asked = clock(); // with autoplay the wish is older than the event
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
    pause: stallEnds,
    emptied: stallEnds,
  };
  if (video) for (const name in watchers) video.addEventListener(name, watchers[name]);

  // ---- reporting

  const report = () => {
    countDiscarded();
    return JSON.stringify({
      v: 1, session, sequence: ++sequence, role: "viewer", counters, base, receipts, peers: peers.size, stalls,
      stallMs: Math.round(stallMs + (stalledAt && clock() - stalledAt)), startupMs,
    });
  };
  const plan = (ms) => {
    if (!stopped) timer = setTimeout(send, ms * (0.9 + Math.random() / 5));
  };
  const post = (url, body) =>
    fetch(url, { method: body ? "POST" : "GET", body, keepalive: !!body, credentials: "omit" });
  const send = async () => {
    try {
      const answer = await post(telemetry.url, report()); // a string travels as text/plain: no preflight
      const told = await answer.json();
      if (answer.ok) ({ acked: base, receipts } = told); // for whichever tracker the next report goes to
      else if (answer.status == 401) session = (await (await post(telemetry.configURL)).json()).telemetry.session;
      else throw 0;
      wait = intervalMs;
    } catch {
      wait = Math.min(wait * 2, 6e4); // counters are cumulative, so nothing is lost meanwhile
    }
    plan(wait);
  };
  const leave = (event) => {
    if (event.type == "pagehide" || document.hidden) navigator.sendBeacon(telemetry.url, report());
  };
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", leave);
  plan(Math.min(2000, intervalMs));

  return {
    counters,
    peers,
    stalls: () => stalls,
    stop() {
      if (stopped) return;
      stopped = true;
      clearTimeout(timer);
      lift();
      leave({ type: "pagehide" });
      removeEventListener("pagehide", leave);
      document.removeEventListener("visibilitychange", leave);
      for (const name in listeners) engine.removeEventListener(name, listeners[name]);
      if (video) for (const name in watchers) video.removeEventListener(name, watchers[name]);
    },
  };
};

globalThis.P2PStream = { attach };
