import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { play, playIn, type PlayOptions, type State, type Viewer } from "../sdk/index.js";
import { type Browser, configuration, entrance, FakeVideo, install, until } from "./dom.js";
import { Engine, Hls, HlsEngine, Shaka, shaka, ShakaEngine } from "./fakes.js";

const url = "https://entrance.test/events/town-hall/";
const source = "https://origin.test/own.m3u8";
let browser: Browser;
let viewers: Viewer[] = [];

beforeEach(() => {
  browser = install();
  Engine.instances = [];
  Hls.instances = [];
  Shaka.instances = [];
  Shaka.supported = true;
});
afterEach(() => {
  for (const viewer of viewers) viewer.stop();
  viewers = [];
});

const start = (options: Partial<PlayOptions> = {}, video = new FakeVideo()) => {
  const viewer = play(video.asElement(), { url, hls: Hls, engine: HlsEngine, patienceMs: 4_000, ...options });
  viewers.push(viewer);
  const states: State[] = [];
  viewer.on("state", (state) => states.push(state));
  return { viewer, video, states };
};
const player = async () => {
  await until("the player", () => Hls.instances[0]?.media);
  return Hls.instances[0]!;
};

const dash = (changes: object = {}) => configuration({ format: "DASH", streamURL: "https://origin.test/live/manifest.mpd", ...changes });

test("play makes a player with the tracker's settings and joins", async () => {
  browser.answers = [configuration()];
  const { viewer, video } = start({ hlsConfig: { maxBufferLength: 5 } });
  const hls = await player();
  assert.equal(hls.source, "https://origin.test/live/master.m3u8");
  assert.equal(hls.media, video);
  assert.deepEqual(hls.userConfig, { liveSyncDurationCount: 3, maxBufferLength: 5 });
  hls.manifest();
  assert.equal(await hls.segment(), "engine");
  assert.equal(video.plays, 0, "autoplay was not asked for");
  viewer.stop();
  assert.ok(hls.destroyed);
});

test("without an entrance a source plays at once, and the page joins later", async () => {
  const away = entrance();
  browser.answers = [away.answer];
  const { viewer } = start({ source, patienceMs: 4_000 });
  const hls = await player();
  assert.equal(hls.source, source);
  assert.equal(viewer.state.reason, "config-unreachable");
  hls.manifest();
  assert.equal(await hls.segment(), "http");
  away.on = true;
  dispatchEvent(new Event("online"));
  await until("the engine", () => Engine.instances.length);
  assert.equal(await hls.segment(), "engine");
});

test("a silent entrance delays a source by the patience alone", async () => {
  browser.answers = [() => new Promise(() => {})];
  start({ source, patienceMs: 5 });
  assert.equal((await player()).source, source);
});

test("without an entrance and a source the page says what is missing, and plays later", async () => {
  const away = entrance();
  browser.answers = [away.answer];
  const { viewer, states } = start();
  await until("the failure", () => viewer.state.mode == "failed");
  assert.equal(states.at(-1)!.reason, "no-source");
  assert.match(states.at(-1)!.message, /source/);
  away.on = true;
  dispatchEvent(new Event("online"));
  assert.equal((await player()).source, "https://origin.test/live/master.m3u8");
});

test("a browser without Media Source Extensions plays itself", async () => {
  Object.assign(globalThis, { MediaSource: undefined });
  delete (globalThis as any).MediaSource;
  browser.answers = [configuration()];
  const video = Object.assign(new FakeVideo(), { native: true, autoplay: true });
  const { viewer } = start({}, video);
  await until("the source", () => video.src);
  assert.equal(video.src, "https://origin.test/live/master.m3u8");
  assert.equal(video.plays, 1);
  assert.equal(viewer.state.reason, "no-mse");
  assert.equal(viewer.state.mode, "http");
  assert.equal(Hls.instances.length, 0);
  video.error = { message: "MEDIA_ERR" };
  video.dispatchEvent(new Event("error"));
  assert.equal(viewer.state.mode, "failed");
});

test("a browser that can play nothing says so", async () => {
  delete (globalThis as any).MediaSource;
  browser.answers = [configuration()];
  const { viewer } = start();
  await until("the failure", () => viewer.state.mode == "failed");
  assert.equal(viewer.state.reason, "no-mse");
});

test("a player that is blocked leaves the stream to the browser", async () => {
  browser.answers = [configuration()];
  const video = Object.assign(new FakeVideo(), { native: true });
  // In Node.js no module can be imported from https, as with a policy that forbids the entrance's scripts.
  const { viewer } = start({ hls: undefined }, video);
  await until("the source", () => video.src);
  assert.equal(viewer.state.mode, "http");
  assert.equal(viewer.state.reason, "player-blocked");
});

test("an engine that is blocked leaves the player on HTTP", async () => {
  browser.answers = [configuration()];
  const { viewer } = start({ engine: undefined });
  const hls = await player();
  hls.manifest();
  assert.equal(await hls.segment(), "http");
  await until("the state", () => viewer.state.reason == "engine-blocked");
});

test("refused autoplay is said, until the user starts playback", async () => {
  browser.answers = [configuration()];
  const video = Object.assign(new FakeVideo(), { refuses: true });
  const { viewer } = start({ autoplay: true }, video);
  await until("the refusal", () => viewer.state.autoplayRefused);
  const hls = await player();
  hls.manifest();
  assert.equal(await hls.segment(), "engine", "it joins all the same");
  Engine.instances[0]!.emit("onPeerConnect", { streamType: "main", peerId: "p" });
  assert.equal(viewer.state.autoplayRefused, true);
  video.refuses = false;
  await video.play();
  assert.equal(viewer.state.autoplayRefused, undefined);
  assert.equal(viewer.state.mode, "p2p");
});

test("playback that the user asks for before there is a player begins with it", async () => {
  const own = (video: FakeVideo) => {
    delete (globalThis as any).MediaSource;
    return Object.assign(video, { native: true });
  };
  for (const [name, prepare, options] of [
    ["hls.js", (video: FakeVideo) => video, {}],
    ["Shaka Player", (video: FakeVideo) => video, { shaka, shakaEngine: ShakaEngine }],
    ["the browser itself", own, {}],
  ] as const) {
    let answer!: (config: Response) => void;
    browser.answers = [() => new Promise((resolve) => (answer = resolve))];
    const { viewer, video } = start(options, prepare(new FakeVideo()));
    await until("the request", () => answer);
    await video.play();
    answer(name == "Shaka Player" ? dash() : configuration());
    await until(name, () => video.plays == 2);
    viewer.stop();
  }
});

test("hls.js starts again after a fatal error", async (t) => {
  browser.answers = [configuration()];
  const { viewer, video } = start();
  const hls = await player();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (const [data, call] of [
    [{ type: "networkError", details: "manifestLoadError" }, "loadSource"],
    [{ type: "mediaError", details: "bufferStalledError" }, "recoverMediaError"],
  ] as const) {
    hls.calls = [];
    hls.emit("hlsError", "hlsError", { fatal: false, ...data });
    assert.notEqual(viewer.state.mode, "failed");
    hls.emit("hlsError", "hlsError", { fatal: true, ...data });
    assert.equal(viewer.state.detail, data.details);
    t.mock.timers.tick(2000);
    assert.deepEqual(hls.calls, [call]);
    await video.play();
    assert.equal(viewer.state.reason, "joining");
  }
});

const startDASH = (options: Partial<PlayOptions> = {}, video = new FakeVideo()) => start({ shaka, shakaEngine: ShakaEngine, ...options }, video);
const shakaPlayer = async () => {
  await until("Shaka Player", () => Shaka.instances[0]?.sources.length);
  return Shaka.instances[0]!;
};

test("a DASH stream plays with Shaka Player and joins", async () => {
  browser.answers = [dash()];
  const { viewer, video, states } = startDASH({ shakaConfig: { streaming: { bufferingGoal: 5 } }, autoplay: true });
  const player = await shakaPlayer();
  assert.deepEqual(player.sources, [["https://origin.test/live/manifest.mpd", undefined]]);
  assert.equal(player.media, video);
  assert.equal(Hls.instances.length, 0, "hls.js is not needed");
  await until("the engine", () => viewer.engine);
  assert.equal((Engine.instances[0] as ShakaEngine).core.mainStreamConfig.swarmId, "swarm");
  assert.deepEqual(player.configured.slice(-2), [{ streaming: { bufferingGoal: 12 } }, { streaming: { bufferingGoal: 5 } }], "the page's own settings win");
  await until("autoplay", () => video.plays);
  Engine.instances[0]!.emit("onPeerConnect", { streamType: "main", peerId: "p" });
  assert.deepEqual(states.map(({ mode }) => mode), ["starting", "http", "p2p"]);
  viewer.stop();
  assert.ok(player.destroyed && Engine.instances[0]!.destroyed);
});

test("without an entrance a DASH source plays at once, and the page joins later", async () => {
  const away = entrance();
  browser.answers = [away.answer];
  const { viewer } = startDASH({ source: "https://origin.test/own.mpd?session=1" });
  const player = await shakaPlayer();
  assert.equal(player.sources[0]![0], "https://origin.test/own.mpd?session=1");
  assert.equal(viewer.state.reason, "config-unreachable");
  await player.request(shaka.net.NetworkingEngine.RequestType.SEGMENT); // which waits for nothing
  away.on = true;
  dispatchEvent(new Event("online"));
  await until("the engine", () => viewer.engine);
});

test("the entrance corrects the format that a source seems to have", async () => {
  browser.answers = [dash()];
  startDASH({ source });
  assert.equal((await shakaPlayer()).sources[0]![0], "https://origin.test/live/manifest.mpd");
  assert.equal(Hls.instances.length, 0);
});

test("Shaka Player without its engine plays over HTTP", async () => {
  browser.answers = [dash()];
  const { viewer } = startDASH({ shakaEngine: undefined }); // no module can be imported, as above
  const player = await shakaPlayer();
  assert.equal(viewer.state.mode, "http");
  assert.equal(viewer.state.reason, "engine-blocked");
  assert.deepEqual(player.configured, [{ streaming: { bufferingGoal: 12 } }]);
});

test("what cannot play DASH says so", async () => {
  browser.answers = [dash()];
  const blocked = startDASH({ shaka: undefined });
  await until("the failure", () => blocked.viewer.state.mode == "failed");
  assert.equal(blocked.viewer.state.reason, "player-blocked");
  Shaka.supported = false;
  const unsupported = startDASH();
  await until("the failure", () => unsupported.viewer.state.mode == "failed");
  assert.match(unsupported.viewer.state.detail!, /does not support this browser/);
});

test("Shaka Player starts again after a critical error, a film where it was", async (t) => {
  for (const live of [false, true]) {
    Shaka.instances = [];
    browser.answers = [dash()];
    const { viewer, video } = startDASH();
    const player = await shakaPlayer();
    player.live = live;
    video.currentTime = 42;
    t.mock.timers.enable({ apis: ["setTimeout"] });
    player.emit("error", { detail: { severity: 1, category: 1, code: 1001 } });
    assert.notEqual(viewer.state.mode, "failed");
    player.failures = [{ severity: 2, category: 1, code: 1002 }];
    player.emit("error", { detail: { severity: 2, category: 3, code: 3016 } });
    assert.equal(viewer.state.detail, "Shaka 3.3016");
    t.mock.timers.tick(2000);
    const at = live ? undefined : 42;
    assert.deepEqual(player.sources[1], ["https://origin.test/live/manifest.mpd", at]);
    await Promise.resolve().then(() => {}); // the failure of that
    assert.equal(viewer.state.detail, "Shaka 1.1002");
    t.mock.timers.tick(2000);
    assert.deepEqual(player.sources[2], ["https://origin.test/live/manifest.mpd", at]);
    t.mock.timers.reset();
    await video.play();
    assert.equal(viewer.state.reason, "joining");
    viewer.stop();
  }
});

test("a page of the entrance's own origin asks with POST, and gets modules where it says", async () => {
  browser.answers = [configuration()];
  Object.defineProperty(globalThis, "location", { value: new URL("https://entrance.test/events/town-hall/player"), configurable: true });
  const asked: string[] = [];
  const modules = {
    "vendor/hls.min.mjs": async () => (asked.push("player"), { default: Hls }),
    "vendor/engine-hlsjs.mjs": async () => (asked.push("engine"), { HlsJsP2PEngine: HlsEngine }),
  };
  const { viewer } = start({ url: "https://entrance.test/events/other/", hls: undefined, engine: undefined, modules }); // none of its files has failed
  const hls = await player();
  hls.manifest();
  assert.equal(await hls.segment(), "engine");
  assert.equal(browser.requests[0]!.method, "POST");
  assert.deepEqual(asked.sort(), ["engine", "player"]);
  assert.equal(viewer.player, hls);
  delete (globalThis as { location?: unknown }).location;
  start();
  await until("the request", () => browser.requests.length > 1);
  assert.equal(browser.requests[1]!.method, "GET");
});

test("player and engine are loaded while the entrance is asked, and an engine that fails then is asked for again", async () => {
  let answer!: (config: Response) => void;
  browser.answers = [() => new Promise((resolve) => (answer = resolve))];
  let engines = 0;
  let players = 0;
  const modules = {
    "vendor/hls.min.mjs": async () => (players++, { default: Hls }),
    "vendor/engine-hlsjs.mjs": async () => {
      if (engines++ == 0) throw Error("blocked");
      return { HlsJsP2PEngine: HlsEngine };
    },
  };
  const { states } = start({ url: "https://entrance.test/events/early/", source, hls: undefined, engine: undefined, modules });
  await until("both", () => players && engines && answer);
  assert.deepEqual([players, engines], [1, 1]);
  answer(configuration());
  await until("the failure", () => states.some((s) => s.reason == "engine-blocked"));
});

test("without WebRTC no engine is loaded", async () => {
  browser.answers = [configuration()];
  delete (globalThis as any).RTCPeerConnection;
  let engines = 0;
  const modules = { "vendor/engine-hlsjs.mjs": async () => (engines++, { HlsJsP2PEngine: HlsEngine }) };
  const { states } = start({ source, engine: undefined, modules });
  await until("playback without peers", () => states.some((s) => s.reason == "no-webrtc"));
  assert.equal(engines, 0);
});

const script = (dataset: Record<string, string>) => ({ src: "https://entrance.test/events/town-hall/p2pstream.js", dataset }) as unknown as HTMLScriptElement;

test("a script element plays where it says, below its own URL", async () => {
  delete (globalThis as any).MediaSource;
  browser.answers = [configuration()];
  const video = Object.assign(new FakeVideo(), { native: true });
  browser.document.elements.set("#v", video);
  const heard: string[] = [];
  video.addEventListener("p2pstreamstate", (event) => heard.push((event as CustomEvent<State>).detail.mode));
  playIn(script({ video: "#v", token: "secret" }));
  viewers.push((video as unknown as { p2pstream: Viewer }).p2pstream);
  await until("the source", () => video.src == "https://origin.test/live/master.m3u8");
  assert.equal(browser.requests[0]!.url, `${url}v1/config`);
  assert.equal(browser.requests[0]!.headers.Authorization, "Bearer secret");
  assert.deepEqual(heard, ["starting", "http"]);
});

test("a script element plays the element's own source while the entrance is away", async () => {
  delete (globalThis as any).MediaSource;
  browser.answers = [new TypeError("away")];
  const video = Object.assign(new FakeVideo(), { native: true, src: source, autoplay: true });
  browser.document.elements.set("video", video);
  playIn(script({ video: "video" }));
  viewers.push((video as unknown as { p2pstream: Viewer }).p2pstream);
  await until("playback", () => video.plays);
  assert.equal(video.src, source);
});

test("a script element waits for its video, and names it if it never comes", async () => {
  delete (globalThis as any).MediaSource;
  browser.answers = [configuration()];
  browser.document.readyState = "loading";
  const video = Object.assign(new FakeVideo(), { native: true });
  playIn(script({ video: "#later" }));
  browser.document.elements.set("#later", video);
  browser.document.dispatchEvent(new Event("DOMContentLoaded"));
  viewers.push((video as unknown as { p2pstream: Viewer }).p2pstream);
  await until("the source", () => video.src);
  const errors: string[] = [];
  const { error } = console;
  console.error = (text: string) => errors.push(text);
  browser.document.readyState = "complete";
  playIn(script({ video: "#never" }));
  console.error = error;
  assert.match(errors[0]!, /data-video="#never"/);
});
