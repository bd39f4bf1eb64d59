import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { attach } from "../src/p2pstream.js";
import { configuration, FakeVideo, install } from "./dom.js";
import { Engine } from "./fakes.js";

/** FakeConnection gathers what a test says. */
class FakeConnection extends EventTarget {
  async setLocalDescription(): Promise<void> {}
  gathers(type: string, address: string): void {
    this.dispatchEvent(Object.assign(new Event("icecandidate"), { candidate: { type, address } }));
  }
}

class LoadingEngine extends Engine {
  updates = 0;
  core = {
    streams: new Map([["main", { type: "main", index: 0, segments: new Map() }]]),
    updateStream: () => void this.updates++,
    loadSegment: () => {},
  };
  get wait(): number {
    return this.dynamic.filter((core) => "httpDownloadInitialTimeoutMs" in core).at(-1)?.httpDownloadInitialTimeoutMs;
  }
}

const noPeerMs = 340;
const peerMs = 1500;
const host = "7f662edb-324d-4cf9-9007-da80f61d5ec6.local";
let reporter: { stop(): void } | undefined;

beforeEach(() => {
  install();
  globalThis.RTCPeerConnection = FakeConnection as unknown as typeof RTCPeerConnection;
  mock.timers.enable({ apis: ["setTimeout"] });
  const now = Math.round(performance.now());
  mock.method(performance, "now", () => now); // stands still, as the clock of timers does
});
afterEach(() => {
  reporter?.stop();
  mock.timers.reset();
  mock.restoreAll();
});

/** load asks for the first segment, of which the engine makes a connection. */
async function load(servers = ["stun:stun.test:3478"], runtime: object = {}, video = new FakeVideo(), options: object = {}) {
  const config = await configuration().json();
  config.iceServers = servers.map((url) => ({ urls: [url] }));
  config.settings.core.httpDownloadInitialTimeoutMs = noPeerMs;
  config.settings.runtime = { noPeerMs, peerMs, ...runtime };
  const engine = new LoadingEngine(config.settings);
  const silent = { reporter: () => ({ leave() {}, stop() {} }), checker: () => (own: () => unknown) => own() };
  reporter = attach(engine as any, config, video.asElement(), { part: async () => silent, ...options } as any);
  engine.core.loadSegment();
  const connection = new FakeConnection();
  await connection.setLocalDescription();
  return { engine, connection };
}

test("where no STUN server answers, a page waits no longer", async () => {
  const { engine, connection } = await load();
  connection.gathers("host", host);
  mock.timers.tick(99);
  assert.equal(engine.updates, 0);
  mock.timers.tick(1);
  assert.equal(engine.wait, 0);
  assert.equal(engine.updates, 1, "the loader is told");
});

test("where one answers, a page waits longer for a peer", async () => {
  const firstPeerMs = 680;
  const { engine, connection } = await load(undefined, { firstPeerMs });
  connection.gathers("host", host);
  mock.timers.tick(50);
  connection.gathers("srflx", "203.0.113.7");
  assert.equal(engine.wait, peerMs);
  mock.timers.tick(noPeerMs - 50);
  mock.timers.tick(firstPeerMs - noPeerMs - 1);
  assert.equal(engine.updates, 0);
  mock.timers.tick(1);
  assert.equal(engine.wait, 0);
});

for (const [what, startMs, spent, firstFrameMs, wait] of [
  ["what the page has spent on loading is no time to wait for a peer", 340, 200, 0, 140],
  ["a page that has spent all of it asks the origin at once", 340, 400, 0, 0],
  ["a page in a site has no such bound", undefined, 200, 0, noPeerMs],
  ["a page that plays already has time", 340, 60_000, 500, noPeerMs],
] as const) {
  test(what, async () => {
    const { engine } = await load(undefined, { startMs }, undefined, { asked: performance.now() - spent, firstFrameMs });
    if (wait) {
      mock.timers.tick(wait - 1);
      assert.equal(engine.updates, 0);
    }
    mock.timers.tick(1);
    assert.deepEqual([engine.wait, engine.updates], [0, 1]);
    const first = segment(0);
    engine.emit("onSegmentStart", { segment: first });
    engine.emit("onSegmentLoaded", { segmentUrl: first.url, bytesLength: 1 });
    assert.ok(engine.wait > peerMs, "the second segment waits");
    mock.timers.tick(noPeerMs);
    assert.equal(engine.updates, 1, "the wait of the first segment does not end that of the second");
  });
}

const segment = (n: number, seconds = 4) => ({ url: `https://origin.test/${n}.ts`, runtimeId: String(n), startTime: seconds * n, endTime: seconds * (n + 1) });

/** late is a page that no peer reaches in time: the origin has given its first segment. */
async function late(seconds?: number, video?: FakeVideo) {
  const { engine, connection } = await load(undefined, undefined, video);
  connection.gathers("host", host);
  connection.gathers("srflx", "203.0.113.7");
  mock.timers.tick(noPeerMs - 1);
  assert.equal(engine.updates, 0);
  mock.timers.tick(1);
  assert.equal(engine.wait, 0, "the first segment comes from the origin");
  const first = segment(0, seconds);
  engine.emit("onSegmentStart", { segment: first });
  engine.emit("onSegmentLoaded", { segmentUrl: first.url, bytesLength: 1 });
  return engine;
}

test("when the wait is over, what is played meanwhile is time for the next segment", async () => {
  const engine = await late();
  assert.ok(engine.wait > peerMs);
  mock.timers.tick(1999);
  assert.equal(engine.updates, 1);
  mock.timers.tick(1);
  assert.deepEqual([engine.wait, engine.updates], [0, 2]);
  engine.emit("onSegmentStart", { segment: segment(1) });
  engine.emit("onSegmentLoaded", { segmentUrl: segment(1).url, bytesLength: 1 });
  assert.equal(engine.wait, 0, "that is so once");
});

test("of a short segment, two thirds are waited for", async () => {
  const engine = await late(1.2);
  mock.timers.tick(799);
  assert.equal(engine.updates, 1);
  mock.timers.tick(2);
  assert.equal(engine.updates, 2);
});

test("the next segment does not wait until the first one is nearly played", async () => {
  const video = new FakeVideo();
  const engine = await late(4, video);
  mock.timers.tick(100);
  assert.equal(engine.updates, 1);
  video.currentTime = 3.2;
  video.dispatchEvent(new Event("timeupdate"));
  assert.deepEqual([engine.wait, engine.updates], [0, 2]);
});

test("the next segment waits also if STUN has not answered yet, and no longer once UDP is known to be dropped", async () => {
  const { engine, connection } = await load();
  mock.timers.tick(noPeerMs);
  engine.emit("onSegmentStart", { segment: segment(0) });
  engine.emit("onSegmentLoaded", { segmentUrl: segment(0).url, bytesLength: 1 });
  assert.ok(engine.wait > peerMs);
  connection.gathers("host", host);
  mock.timers.tick(100);
  assert.deepEqual([engine.wait, engine.updates], [0, 2]);
});

test("where UDP does not pass, no segment waits", async () => {
  const { engine, connection } = await load();
  connection.gathers("host", host);
  mock.timers.tick(100);
  engine.emit("onSegmentStart", { segment: segment(0) });
  engine.emit("onSegmentLoaded", { segmentUrl: segment(0).url, bytesLength: 1 });
  assert.equal(engine.wait, 0);
});

test("a page that shows its own address gets no second one, and waits as ever", async () => {
  const { engine, connection } = await load();
  connection.gathers("host", "192.0.2.1");
  mock.timers.tick(noPeerMs - 1);
  assert.equal(engine.updates, 0);
  mock.timers.tick(1);
  assert.equal(engine.updates, 1);
});

test("without a STUN server nothing is concluded", async () => {
  const { engine, connection } = await load([]);
  connection.gathers("host", host);
  mock.timers.tick(noPeerMs - 1);
  assert.equal(engine.updates, 0);
});

test("a seeder that connects ends the judgement", async () => {
  const { engine, connection } = await load();
  connection.gathers("host", host);
  connection.gathers("srflx", "203.0.113.7");
  mock.timers.tick(noPeerMs - 100);
  engine.emit("onPeerConnect", { streamType: "main", peerId: "-PS1-aaaaaaaaaaaaaaa" });
  mock.timers.tick(300);
  assert.equal(engine.updates, 0, "bytes have 500 ms from the connection on");
  mock.timers.tick(200);
  assert.equal(engine.updates, 1, "and none came");
});
