import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { attach, type State, type Viewer } from "../sdk/index.js";
import { type Browser, configuration, entrance, FakeVideo, install, until } from "./dom.js";
import { DeafEngine, Engine, Hls, HlsEngine, loads, SealedShakaEngine, Shaka, shaka, ShakaEngine } from "./fakes.js";

const url = "https://entrance.test/events/town-hall/";
let browser: Browser;
let viewers: Viewer[] = [];

beforeEach(() => {
  browser = install();
  Engine.instances = [];
  loads.length = 0;
});
afterEach(() => {
  for (const viewer of viewers) viewer.stop();
  viewers = [];
});

const withHls = (hls = new Hls(), options: object = {}) => {
  // The patience is long, so that a slow machine changes nothing.
  const viewer = attach(hls, { url, engine: HlsEngine, patienceMs: 60_000, ...options });
  viewers.push(viewer);
  const states: State[] = [];
  viewer.on("state", (state) => states.push(state));
  return { hls, viewer, states };
};
const reasons = (states: State[]) => states.map(({ mode, reason }) => (reason ? `${mode} ${reason}` : mode));
const peer = (peerId = "-PS1-aaaaaaaaaaaaaaaa") => ({ streamType: "main", peerId });

test("the first segment waits for the settings and comes through the engine", async () => {
  browser.answers = [configuration()];
  const { hls, viewer, states } = withHls();
  hls.loadSource("https://origin.test/live/master.m3u8");
  hls.manifest();
  assert.equal(await hls.segment(), "engine");
  assert.equal(browser.requests[0]!.url, `${url}v1/config`);
  const engine = Engine.instances[0] as HlsEngine;
  assert.equal(engine.config.core.swarmId, "swarm");
  assert.deepEqual(reasons(states), ["starting", "http joining"]);
  engine.emit("onPeerConnect", peer());
  assert.equal(viewer.peerCount, 1);
  engine.emit("onPeerClose", peer());
  assert.deepEqual(reasons(states), ["starting", "http joining", "p2p", "http joining"]);
});

test("the second segment of a kind waits for the first picture", async (t) => {
  browser.answers = [configuration()];
  const { hls } = withHls();
  const video = new FakeVideo();
  hls.loadSource("https://origin.test/live/master.m3u8");
  hls.attachMedia(video);
  hls.manifest();
  const urls = () => loads.map((l) => l.url);
  const first = { sn: 7, type: "main" } as const;
  await hls.segment("first", first);
  t.mock.timers.enable({ apis: ["setTimeout"] }); // it waits 300 ms at most
  const waits = hls.segment("second", { sn: 8, type: "main" });
  // What the first picture may need does not wait: the sound, a header, the same segment again or in another quality.
  await hls.segment("sound", { sn: 7, type: "audio" });
  await hls.segment("header", { sn: "initSegment", type: "main" });
  await hls.segment("again", first);
  assert.deepEqual(urls(), ["first", "sound", "header", "again"]);
  video.readyState = 2;
  video.dispatchEvent(new Event("loadeddata"));
  assert.equal(await waits, "engine");
  await hls.segment("third", { sn: 9, type: "main" });
  assert.deepEqual(urls().slice(4), ["second", "third"]);
});

test("the second segment does not wait for a picture that does not come, nor the first one of another stream", async (t) => {
  browser.answers = [configuration()];
  const { hls } = withHls();
  hls.loadSource("https://origin.test/live/master.m3u8");
  hls.attachMedia(new FakeVideo());
  hls.manifest();
  await hls.segment("first", { sn: 7, type: "main" });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const second = hls.segment("second", { sn: 8, type: "main" });
  t.mock.timers.tick(299);
  assert.deepEqual(loads.map((l) => l.url), ["first"]);
  t.mock.timers.tick(1);
  assert.equal(await second, "engine");
  hls.loadSource("https://origin.test/other/master.m3u8");
  hls.manifest();
  assert.equal(await hls.segment("other", { sn: 90, type: "main" }), "engine");
});

test("an engine that comes late is told what was loaded before it", async () => {
  let answer!: (config: Response) => void;
  browser.answers = [() => new Promise((resolve) => (answer = resolve))];
  const { hls } = withHls(new Hls(), { patienceMs: 5 });
  hls.loadSource("https://origin.test/live/master.m3u8");
  hls.manifest();
  assert.equal(await hls.segment(), "http", "it plays while the entrance is silent");
  answer(configuration());
  await until("the engine", () => Engine.instances.length);
  const engine = Engine.instances[0] as HlsEngine;
  await until("the replay", () => engine.heard.length == 2);
  assert.deepEqual(engine.heard, ["hlsManifestLoaded", "hlsLevelUpdated"]);
  assert.equal(await hls.segment(), "engine");
});

test("an engine is told again when media is attached anew", async () => {
  browser.answers = [configuration()];
  const { hls } = withHls();
  hls.loadSource("x");
  hls.manifest();
  await hls.segment();
  const engine = Engine.instances[0] as HlsEngine;
  engine.heard = [];
  hls.attachMedia(new FakeVideo());
  assert.deepEqual(engine.heard, ["hlsManifestLoaded", "hlsLevelUpdated"]);
});

test("what hls.js changes in a manifest later does not reach an engine that comes late", async () => {
  let answer!: (config: Response) => void;
  browser.answers = [() => new Promise((resolve) => (answer = resolve))];
  const { hls } = withHls(new Hls(), { patienceMs: 0 });
  hls.loadSource("x");
  const levels = [{ videoCodec: "avc1.64001f" }];
  hls.emit("hlsManifestLoaded", "hlsManifestLoaded", { levels, audioTracks: [] });
  levels[0]!.videoCodec = "changed";
  const seen: unknown[] = [];
  class Curious extends HlsEngine {
    override bindHls(get: () => any): void {
      super.bindHls(() => {
        const player = get();
        return { ...player, on: (name: string, handler: any) => player.on(name, (event: string, data: any) => (seen.push(data?.levels?.[0]?.videoCodec), handler(event, data))) };
      });
    }
  }
  viewers[0]!.stop();
  const late = withHls(hls, { engine: Curious, patienceMs: 0 });
  hls.emit("hlsManifestLoaded", "hlsManifestLoaded", { levels: (levels[0]!.videoCodec = "avc1.64001f", levels), audioTracks: [] });
  levels[0]!.videoCodec = "changed";
  answer(configuration());
  await until("the replay", () => seen.length);
  assert.equal(seen[0], "avc1.64001f");
  late.viewer.stop();
});

test("without an entrance the page plays over HTTP, says so, and joins when it is back", async () => {
  const away = entrance();
  browser.answers = [away.answer];
  const { hls, states } = withHls(new Hls(), { patienceMs: 60_000 });
  hls.loadSource("x");
  hls.manifest();
  assert.equal(await hls.segment(), "http", "a refused connection ends the wait at once");
  assert.deepEqual(reasons(states), ["starting", "http config-unreachable"]);
  assert.match(states[1]!.detail ?? "", /Failed to fetch/);
  await until("the failure", () => states.length == 2);
  away.on = true;
  dispatchEvent(new Event("online"));
  await until("the engine", () => Engine.instances.length);
  assert.equal(await hls.segment(), "engine");
});

for (const [name, answer, reason] of [
  ["a tracker that refuses the page", () => Response.json({ error: "not this origin" }, { status: 403 }), "config-refused"],
  ["a token that is wrong", () => Response.json({ error: "token" }, { status: 401 }), "config-refused"],
  ["a tracker in trouble", () => new Response("", { status: 503 }), "config-unreachable"],
  ["a page instead of settings", () => new Response("<html>"), "config-invalid"],
  ["settings of another version", () => configuration({ v: 2 }), "config-invalid"],
  ["settings without trackers", () => configuration({ trackers: [] }), "config-invalid"],
  ["a script as stream URL", () => configuration({ streamURL: "javascript:alert(1)" }), "config-invalid"],
  ["an answer without end", () => new Response("x".repeat(300_000)), "config-invalid"],
] as const) {
  test(`${name}: the page plays over HTTP and says why`, async () => {
    browser.answers = [answer()];
    const { hls, states } = withHls(new Hls(), { patienceMs: 60_000 });
    hls.manifest();
    assert.equal(await hls.segment(), "http");
    assert.deepEqual(reasons(states), ["starting", `http ${reason}`]);
    assert.ok(states[1]!.detail && states[1]!.detail.length <= 500);
  });
}

test("without WebRTC nothing is asked for", async () => {
  Object.assign(globalThis, { RTCPeerConnection: undefined });
  const { hls, states } = withHls();
  hls.manifest();
  assert.equal(await hls.segment(), "http");
  assert.deepEqual(reasons(states), ["starting", "http no-webrtc"].slice(-1));
  assert.equal(browser.requests.length, 0);
});

test("a site without P2P is said to be one", async () => {
  browser.answers = [configuration({ p2pOff: "the site is off" }, { isP2PDisabled: true })];
  const { hls, viewer } = withHls();
  hls.manifest();
  assert.equal(await hls.segment(), "http");
  assert.equal(viewer.state.reason, "p2p-off");
  assert.equal(viewer.state.detail, "the site is off");
});

test("an engine of another version leaves the player on HTTP", async () => {
  browser.answers = [configuration()];
  const { hls, viewer } = withHls(new Hls(), { engine: DeafEngine });
  hls.manifest();
  assert.equal(await hls.segment(), "http");
  assert.equal(viewer.state.reason, "engine-unknown");
  assert.ok(Engine.instances[0]!.destroyed);
});

test("a tracker that is away is named until a peer is there", async () => {
  browser.answers = [configuration()];
  const { viewer } = withHls();
  await until("the engine", () => viewer.engine);
  const engine = Engine.instances[0]!;
  engine.emit("onTrackerError", { error: Error("connection refused") });
  assert.equal(viewer.state.reason, "tracker-unreachable");
  assert.equal(viewer.state.detail, "connection refused");
  engine.emit("onPeerConnect", peer());
  engine.emit("onTrackerError", { error: Error("connection refused") });
  assert.equal(viewer.state.mode, "p2p", "peers remain without a tracker");
});

test("a player made with injectMixin gets a new engine of the same class", async () => {
  browser.answers = [configuration()];
  const own = new HlsEngine({ core: { announceTrackers: ["wss://public.test"] } });
  const hls = Object.assign(new Hls(own.getConfigForHlsJs()), { p2pEngine: own });
  const { viewer } = withHls(hls, { engine: undefined });
  hls.manifest();
  assert.equal(await hls.segment(), "engine");
  assert.ok(own.destroyed);
  assert.notEqual(viewer.engine, own);
  viewer.stop();
  assert.equal(await new Promise((resolve) => new (hls.config.fLoader ?? hls.config.loader)(hls.config).load({ url: "" }, {}, { onSuccess: (r: any) => resolve(r.data) })), "http");
});

test("settings of the page win over those of the tracker", async () => {
  browser.answers = [configuration()];
  const { hls } = withHls(new Hls({ maxBufferLength: 99 }));
  await until("the settings", () => hls.config.liveSyncDurationCount == 3 && Engine.instances.length);
  assert.equal(hls.config.maxBufferLength, 99);
});

test("a token is sent as Authorization, and asked for each time", async () => {
  const away = entrance();
  browser.answers = [away.answer];
  let n = 0;
  withHls(new Hls(), { token: () => `t${++n}` });
  await until("a request", () => browser.requests.length);
  await until("the failure", () => viewers[0]!.state.mode == "http");
  away.on = true;
  dispatchEvent(new Event("online"));
  await until("the engine", () => Engine.instances.length);
  const sent = browser.requests.map((r) => r.headers.Authorization);
  assert.deepEqual(sent, sent.map((_, i) => `Bearer t${i + 1}`));
  assert.ok(sent.length >= 2);
});

test("every form of the stream's URL leads to its settings", async () => {
  for (const form of ["", "/", "/player", "/v1/config", "/p2pstream.js", "/v1/config?udp=works"]) {
    browser.answers = [configuration()];
    browser.requests.length = 0;
    attach(new Hls(), { url: `https://entrance.test/events/town-hall${form}`, engine: HlsEngine }).stop();
    assert.equal(browser.requests[0]!.url, `${url}v1/config`, form);
  }
});

test("stop gives the player back as it was", async () => {
  browser.answers = [configuration()];
  const hls = new Hls();
  const before = { loaders: [hls.config.fLoader, hls.config.pLoader], handlers: hls.count() };
  const { viewer, states } = withHls(hls);
  await until("the engine", () => viewer.engine);
  viewer.stop();
  assert.deepEqual([hls.config.fLoader, hls.config.pLoader], before.loaders);
  assert.ok(Engine.instances[0]!.destroyed);
  assert.equal(states.at(-1)!.mode, "stopped");
  viewer.stop();
});

test("the end of the player is the end of the viewer", async () => {
  browser.answers = [configuration()];
  const { hls, viewer } = withHls();
  await until("the engine", () => viewer.engine);
  hls.destroy();
  assert.equal(viewer.state.mode, "stopped");
});

test("a segment that is aborted while it waits is not loaded", async () => {
  browser.answers = [() => new Promise(() => {})];
  const { hls } = withHls(new Hls(), { patienceMs: 10 });
  const waiting = new hls.config.fLoader(hls.config);
  let aborted = 0;
  waiting.load({ url: "1.ts" }, {}, { onAbort: () => aborted++ });
  waiting.abort();
  const other = new hls.config.fLoader(hls.config);
  other.load({ url: "2.ts" }, {}, {});
  other.destroy();
  await hls.segment("3.ts");
  assert.equal(aborted, 1);
  assert.ok(waiting.stats.aborted);
  assert.deepEqual(loads.map(({ url }) => url), ["3.ts"]);
});

test("the figures that hls.js holds are those of the loader that loads", async () => {
  browser.answers = [configuration()];
  const { hls } = withHls();
  const one = new hls.config.fLoader(hls.config);
  one.stats.retry = 2;
  const held = one.stats;
  await new Promise((resolve) => one.load({ url: "1.ts" }, {}, { onSuccess: resolve }));
  assert.equal(held.loaded, 7);
  assert.equal(held.retry, 2);
});

test("a listener that throws ends neither the others nor playback", async () => {
  browser.answers = [configuration()];
  const errors: unknown[] = [];
  const { error } = console;
  console.error = (e) => errors.push(e);
  const { viewer, states } = withHls();
  const end = viewer.on("state", () => {
    throw Error("a page's mistake");
  });
  await until("the engine", () => viewer.engine);
  end();
  console.error = error;
  assert.equal(states.at(-1)!.reason, "joining");
  assert.ok(errors.length);
});

test("Shaka Player is bound at once and joins when the settings come", async () => {
  browser.answers = [configuration()];
  const player = new Shaka();
  const viewer = attach(player, { url, engine: ShakaEngine, shaka, patienceMs: 60_000 });
  viewers.push(viewer);
  const engine = Engine.instances[0] as ShakaEngine;
  assert.equal(engine.player, player);
  assert.equal(engine.config.core.isP2PDisabled, true);
  assert.equal(ShakaEngine.registered > 0, true);
  await player.request(1);
  assert.equal(engine.getConfig().core.mainStream.swarmId, "swarm");
  assert.deepEqual(engine.getConfig().core.secondaryStream.announceTrackers, ["wss://entrance.test/announce?t=ticket"]);
  assert.equal(engine.dynamic.at(-1).isP2PDisabled, false);
  assert.deepEqual(player.configured, [{ streaming: { bufferingGoal: 12 } }]);
  viewer.stop();
  assert.equal(player.filters.size, 0);
  assert.ok(engine.destroyed);
});

test("Shaka Player with an engine whose inner objects changed stays on HTTP", async () => {
  browser.answers = [configuration()];
  const player = new Shaka();
  const viewer = attach(player, { url, engine: SealedShakaEngine, shaka, patienceMs: 60_000 });
  viewers.push(viewer);
  await player.request(1);
  await until("the state", () => viewer.state.mode == "http");
  assert.equal(viewer.state.reason, "engine-unknown");
  assert.ok(Engine.instances[0]!.dynamic.every((core) => core.isP2PDisabled !== false));
});

test("Shaka Player without an entrance loads segments at once", async () => {
  browser.answers = [new TypeError("away")];
  const player = new Shaka();
  const viewer = attach(player, { url, engine: ShakaEngine, shaka, patienceMs: 60_000 });
  viewers.push(viewer);
  await player.request(0);
  await player.request(1);
  assert.equal(viewer.state.reason, "config-unreachable");
});

test("a mistake of the page is an error that names the option", () => {
  assert.throws(() => attach(new Hls(), {} as never), /url/);
  assert.throws(() => attach({} as never, { url }), /neither hls.js nor Shaka/);
  assert.throws(() => attach(new Shaka(), { url }), /engine/);
});
