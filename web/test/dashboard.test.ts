// The dashboard's pure functions: numbers as people read them, which site is worst, what is wrong, and what charts show.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../dashboard/format.js";
import type { Answer, History, Maybe, Now, PartHistory, SiteNow } from "../dashboard/model.js";
import { findProblems, runbookURL, stalledShare } from "../dashboard/problems.js";
import { charts, isEmpty, latest, perSecond, ratios, stack } from "../dashboard/series.js";
import { rankSites } from "../dashboard/sites.js";

const nothing = (n: number): Maybe[] => Array<Maybe>(n).fill(null);

function historyOf(n: number, more: Partial<History> = {}): History {
  const lists = Object.fromEntries(
    ["viewers", "viewersMost", "seeders", "http", "seeder", "viewer", "uploaded", "seederHTTP", "stalls", "stallMs", "startupP50Ms", "startupP95Ms", "stallP95Ms"].map((k) => [k, nothing(n)]),
  );
  return {
    ...(lists as unknown as History), from: 1000, to: 1000 + 10 * n, stepSeconds: 10, time: Array.from({ length: n }, (_, i) => 1000 + 10 * i),
    covered: Array<Maybe>(n).fill(10), sites: [], renditions: [], ...more,
  };
}

function nowOf(more: Partial<Now> = {}): Now {
  const zero = { http: 0, seeder: 0, viewer: 0, uploaded: 0 };
  return {
    now: "2026-01-02T08:00:00Z", startedAt: "2026-01-02T07:00:00Z", intervalSeconds: 5, viewersKnown: true, viewers: 0, reporting: 0, seeders: 0,
    seedersHolding: 0, seederStates: [], live: true, peerable: true, stunServers: 0, stunDown: 0, wrongSegments: 0,
    offload: { windowSeconds: 60, window: zero, windowRatio: null, totals: zero, totalRatio: null, stalls: 0 },
    startup: { count: 0, p50Ms: 0, p95Ms: 0 }, stall: { count: 0, p50Ms: 0, p95Ms: 0 }, renditions: [], hasSites: true, sites: [], ...more,
  };
}

const site = (name: string, more: Partial<SiteNow> = {}): SiteNow => ({ name, viewers: 20, reporting: 20, window: {}, copies: null, lineBitsPerSecond: 0, offload: null, ...more });
const part = (name: string, lineBytes: number, oneCopyBytes: number): PartHistory => ({ name, lineBytes, oneCopyBytes, receivedBytes: 0, viewers: 20 });
const answer = (now: Partial<Now>, history: Partial<History> = {}, n = 3): Answer => ({ v: 1, now: nowOf(now), history: historyOf(n, history) });

test("each number has its unit", () => {
  const said = {
    bytes: [format.bytes(0), format.bytes(999), format.bytes(1500), format.bytes(123_456_789), format.bytes(9e18)],
    bits: [format.bits(999.6), format.bits(8_500_000)],
    duration: [format.duration(80), format.duration(999.6), format.duration(12_340), format.duration(600_000)],
    percent: [format.percent(0), format.percent(0.98765), format.percent(1)],
    copies: [format.copies(1.04), format.copies(120)],
    count: [format.count(1234), format.count(2.5), format.count(2.04)],
  };
  assert.deepEqual(said, {
    bytes: ["0\u00a0B", "999\u00a0B", "1.5\u00a0kB", "123\u00a0MB", "9000\u00a0PB"],
    bits: ["1.0\u00a0kbit/s", "8.5\u00a0Mbit/s"],
    duration: ["80\u00a0ms", "1.0\u00a0s", "12.3\u00a0s", "600\u00a0s"],
    percent: ["0.0\u00a0%", "98.8\u00a0%", "100.0\u00a0%"],
    copies: ["1.0", "120"],
    count: ["1,234", "2.5", "2"],
  });
});

test("what is not known is no number", () => {
  for (const f of [format.bytes, format.bits, format.percent, format.copies, format.count, format.duration]) {
    for (const value of [null, undefined, NaN, Infinity]) assert.equal(f(value), "–");
  }
  assert.equal(format.plural(1, "viewer"), "1\u00a0viewer");
  assert.equal(format.plural(2, "seeder lacks", "seeders lack"), "2\u00a0seeders lack");
});

test("the worst site is the first one", () => {
  const sites = rankSites(
    answer(
      { sites: [site("good"), site("worst"), site("small", { viewers: 3 }), site(""), site("other"), site("off", { alone: 20 }), site("new", { copies: 1.8 })] },
      { sites: [part("worst", 900, 300), part("good", 110, 100), { ...part("small", 300, 100), viewers: 3 }, part("", 5000, 0), part("…", 50, 10), part("off", 50, 10), part("gone", 25, 10)] },
    ),
  );
  assert.deepEqual(
    sites.map((s) => [s.name, s.copies, s.verdict]),
    [
      ["worst", 3, "bad"],
      ["gone", 2.5, "bad"],
      ["small", 3, "fair"],
      ["new", 1.8, "fair"],
      ["good", 1.1, "good"],
      ["Outside of all sites", null, ""],
      ["Other sites", null, ""],
      ["off", null, ""],
    ],
  );
  assert.equal(sites[0]!.word, "too many");
  assert.equal(sites[0]!.lineBitsPerSecond, (8 * 900) / 30);
});

test("no site is a list without sites", () => assert.deepEqual(rankSites(answer({ hasSites: false })), []));

const problems = (now: Partial<Now>, history: Partial<History> = {}) => {
  const a = answer(now, history);
  return findProblems(a, rankSites(a));
};

test("a healthy stream has no problem", () => {
  const now: Partial<Now> = {
    viewers: 50, reporting: 50, seeders: 1, sites: [site("berlin", { copies: 1.1 })], startup: { count: 9, p50Ms: 200, p95Ms: 900 },
    seederStates: [{ id: "a", fresh: true, peers: 90, maxPeers: 100, uplinkBps: 1, uplinkLimitBps: 0, behind: 0 }],
  };
  assert.deepEqual(problems(now, { viewers: [50, 50, 50], stallMs: [0, 5000, 0] }), []);
  assert.deepEqual(problems({}), []);
});

test("each problem is said, and has the runbook of its alert", () => {
  const seeder = { id: "a", fresh: true, peers: 5, maxPeers: 100, uplinkBps: 1, uplinkLimitBps: 0, behind: 0 };
  const cases: [string, Partial<Now>, Partial<History>?][] = [
    ["P2PStreamSourceUnreadable", { sourceProblem: "timeout" }],
    ["P2PStreamViewersStall", { reporting: 3, viewers: 3 }, { viewers: [3, 3, 3], stallMs: [0, 2000, 0] }],
    ["P2PStreamLineOverloaded", { sites: [site("berlin", { copies: 2.1 })] }],
    ["P2PStreamNotShared", { peerable: false, message: "segments differ" }],
    ["P2PStreamStartsSlowly", { startup: { count: 1, p50Ms: 1, p95Ms: 5001 } }],
    ["P2PStreamOffloadLost", { reporting: 10, viewers: 10, offload: { ...nowOf().offload, windowRatio: 0.4 } }],
    ["P2PStreamSeedersBehind", { seederStates: [{ ...seeder, behind: 1 }] }],
    ["P2PStreamSeedersGone", { seederStates: [{ ...seeder, fresh: false }] }],
    ["P2PStreamSeedersFull", { seederStates: [{ ...seeder, peers: 91 }] }],
    ["P2PStreamSegmentsWrong", { wrongSegments: 1 }],
    ["P2PStreamNoTelemetry", { viewers: 5 }],
  ];
  for (const [runbook, now, history] of cases) {
    const found = problems(now, history);
    assert.deepEqual(found.map((p) => p.runbook), [runbook], JSON.stringify(found));
    assert.match(found[0]!.text, /^[A-Z0-9].*[^ ]$/);
  }
  assert.match(runbookURL("X"), /^https:\/\/github\.com\/p2pstream\/p2pstream\/blob\/main\/docs\/runbooks\/X\.md$/);
  assert.equal(problems({ stunServers: 2, stunDown: 1 }).length, 1);
  assert.deepEqual(problems({ seederStates: [{ ...seeder, behind: 1, edgeSite: "berlin" }] }), []);
});

test("the worst problem comes first, and many sites are one line", () => {
  const sites = Array.from({ length: 9 }, (_, i) => site(`s${i}`, { copies: 5 }));
  const found = problems({ sites, sourceProblem: "timeout", viewers: 9 });
  assert.equal(found[0]!.severity, "critical");
  assert.equal(found.at(-1)!.severity, "info");
  assert.equal(found.length, 1 + 4 + 1);
});

test("the share that viewers stood still is that of the last minutes", () => {
  assert.equal(stalledShare(historyOf(3), 300), null);
  const long = historyOf(100, { viewers: Array(100).fill(10), stallMs: [...Array(50).fill(99_999), ...Array(50).fill(1000)] });
  assert.ok(Math.abs(stalledShare(long, 300)! - 0.01) < 1e-9);
});

test("rates, ratios and stacks leave out what is not known", () => {
  assert.deepEqual(perSecond([100, null, 50], [10, 10, null], 8), [80, null, null]);
  assert.deepEqual(ratios([[3, 0, null]], [[3, 0, null], [1, 0, null]]), [0.75, null, null]);
  assert.deepEqual(stack([[1, null, 3], [10, null, 30]]), [[1, null, 3], [11, null, 33]]);
});

test("a chart without values is empty, and one with zeros of offload is not", () => {
  const none = charts(historyOf(3), nowOf());
  assert.ok(none.every(isEmpty));
  assert.ok(none.every((c) => c.empty.endsWith(".") && c.source.length > 10 && latest(c) == -1));
  const zeros = charts(historyOf(3, { viewersMost: [0, 0, 0], http: [5, 5, 5], seeder: [0, 0, 0], viewer: [0, 0, 0] }), nowOf());
  const of = (id: string) => zeros.find((c) => c.id == id)!;
  assert.ok(isEmpty(of("viewers")) && !isEmpty(of("offload")) && !isEmpty(of("bytes")));
  assert.deepEqual(of("offload").lines[0]!.values, [0, 0, 0]);
  assert.equal(latest(of("bytes")), 2);
});

test("a chart has no more lines than there are colours", () => {
  const renditions = Array.from({ length: 9 }, (_, i) => ({ ...part(`r${i}`, 0, 0), watching: [1, 2, 3] }));
  const lines = charts(historyOf(3, { renditions }), nowOf()).find((c) => c.id == "watching")!.lines;
  assert.equal(new Set(lines.map((l) => l.color)).size, lines.length);
});
