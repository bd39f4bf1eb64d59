import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import { checker } from "../src/check.js";
import { install, until } from "./dom.js";
import { Engine } from "./fakes.js";

const url = "https://origin.test/1.ts";
const bytes = new TextEncoder().encode("a segment");
const right = createHash("sha256").update(bytes).digest("base64").slice(0, 24);
const key = Buffer.from("a key that the tracker gave");
const swarm = "v2-town-hall-main-0";

type Answer = (after: number) => { hashes: string[]; from: number; to: number } | "hangs" | "fails";

let answer: Answer;
let requests: string[];
const original = globalThis.fetch;

beforeEach(() => {
  install();
  requests = [];
  Object.assign(globalThis, { location: new URL("https://intranet.test/") });
  globalThis.fetch = (async (resource: string, { signal }: RequestInit) => {
    const query = new URL(resource).searchParams;
    requests.push(query.has("session") ? "key" : "hashes");
    if (query.has("session")) return Response.json({ key: key.toString("base64") });
    const after = Number(query.get("after"));
    const list = answer(after);
    if (list === "fails") throw new TypeError("network");
    if (list === "hangs") return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
    const signed = `${swarm}\n${after}\n${list.from}\n${list.to}\n${list.hashes}\n`;
    const mac = createHmac("sha256", key).update(signed).digest("base64");
    return Response.json({ lists: [{ swarm, after, ...list }], mac });
  }) as typeof fetch;
});
afterEach(() => {
  globalThis.fetch = original;
});

/** page has one segment of a live stream, whose number is 7. */
function page() {
  const checks: Record<string, number> = {};
  const core = {
    mainStreamConfig: { swarmId: "town-hall" },
    streams: new Map([["main", { type: "main", index: 0, segments: new Map([[url, { externalId: 7 }]]) }]]),
  };
  const engine = new Engine();
  const take = checker({ core, addEventListener: engine.addEventListener.bind(engine), removeEventListener: engine.removeEventListener.bind(engine) }, { telemetry: { url: "https://tracker.test/v1/telemetry", session: "s" } }, checks);
  const begins = (downloadSource: string) => engine.emit("onSegmentStart", { segment: { runtimeId: url }, downloadSource });
  return { checks, begins, take: (data = bytes) => take(() => true, "P2P", url, undefined, data) };
}

const live = (hashes: string[]) => ({ hashes, from: 1, to: Number.MAX_SAFE_INTEGER });

test("a segment whose hash is told is taken if it has that hash", async () => {
  const { take, checks } = page();
  answer = () => live([right]);
  assert.equal(await take(), true);
  assert.equal(await take(new TextEncoder().encode("another")), false);
  assert.deepEqual([checks.right, checks.wrong], [1, 1]);
});

test("a segment whose hash does not come is refused", async () => {
  const { take, checks } = page();
  answer = () => live([]);
  assert.equal(await take(), false);
  assert.equal(checks.unproven, 1);
});

test("a tracker that has vouched and then hangs makes no page leave its peers", async () => {
  const { take, checks } = page();
  answer = () => live([]);
  assert.equal(await take(), false); // it vouches from now on
  answer = () => "hangs";
  assert.equal(await take(), true);
  assert.equal(await take(), true);
  assert.deepEqual([checks.unproven, checks.unknown], [1, 2]);
});

test("a tracker that is away stops no segment", async () => {
  const { take, checks } = page();
  answer = () => "fails";
  assert.equal(await take(), true);
  assert.equal(checks.unknown, 1);
});

test("the first hash is asked for while its segment comes from a peer, and once", async () => {
  const { take, begins, checks } = page();
  answer = () => live([right]);
  begins("http");
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(requests, []);
  begins("p2p");
  await until("the key and the hashes", () => requests.length == 2);
  begins("p2p");
  assert.equal(await take(), true);
  assert.deepEqual(requests, ["key", "hashes"]);
  assert.equal(checks.right, 1);
});

test("a hash that is not known when its segment begins is asked for again when it ends", async () => {
  const { take, begins, checks } = page();
  let told: () => void = () => {};
  const asked = new Promise<void>((resolve) => (told = resolve));
  answer = () => {
    told();
    return { hashes: [], from: 1, to: 6 };
  };
  begins("p2p");
  await asked;
  answer = () => live([right]);
  await until("the first answer", () => requests.length == 2);
  assert.equal(await take(), true);
  assert.equal(checks.right, 1);
});
