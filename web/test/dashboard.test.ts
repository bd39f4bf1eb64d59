// The dashboard's pure functions: numbers as people read them, which site is worst, what is wrong, and what charts show.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../dashboard/format.js";
import type { Answer, Brief, History, Maybe, Now, PartHistory, SiteNow } from "../dashboard/model.js";
import { alone, between, picture, side, type Mesh } from "../dashboard/mesh.js";
import { fullName, link, problemsOf, sitesOf } from "../dashboard/overview.js";
import { findProblems, runbookTitle, runbookURL, stalledShare } from "../dashboard/problems.js";
import { charts, isEmpty, latest, leastStep, perSecond, ratios, stack, ticks } from "../dashboard/series.js";
import { limits, rankSites, scale } from "../dashboard/sites.js";

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
  assert.deepEqual(sites.filter((s) => s.copies !== null).map((s) => s.past), [true, true, true, false, true], "without a past, copies are of now");
  assert.equal(sites[0]!.word, "too many");
  assert.equal(sites[0]!.lineBitsPerSecond, (8 * 900) / 30);
});

test("what the words beside copies mean is said with the limits, and one copy is on each scale", () => {
  const word = (copies: number, viewers: number) => rankSites(answer({ sites: [site("s", { copies, viewers })] }))[0]!.word;
  const [good, fair, many] = /^Good: up to (.+) copies; more than needed: up to (.+); too many: above, for (.+) viewers or more\.$/.exec(limits)!.slice(1).map(Number) as [number, number, number];
  assert.deepEqual([word(good, 20), word(good + 0.01, 20), word(fair, 20), word(fair + 0.01, many), word(fair + 0.01, many - 1)], ["good", "more than needed", "more than needed", "too many", "high, few viewers"]);
  assert.equal(scale([{ copies: 0.5 }, { copies: null }]), 2);
  assert.equal(scale([{ copies: 3.4 }, { copies: 1 }]), 3.4);
});

test("no site is a list without sites", () => assert.deepEqual(rankSites(answer({ hasSites: false })), []));

const problems = (now: Partial<Now>, history: Partial<History> = {}) => {
  const a = answer(now, history);
  return findProblems(a, rankSites(a), "hour");
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
    assert.match(found[0]!.note, /^(Now|Last .+|Since the tracker began); source: (the tracker|WebSockets|reports of (viewers|seeders|viewers and seeders))$/, runbook);
  }
  assert.deepEqual([runbookTitle("P2PStreamViewersStall"), runbookTitle("X")], ["Viewers stand still", "X"]);
  assert.match(runbookURL("X"), /^https:\/\/github\.com\/p2pstream\/p2pstream\/blob\/main\/docs\/runbooks\/X\.md$/);
  assert.equal(problems({}, { sites: [part("berlin", 900, 300)] })[0]!.note, "Last hour; source: reports of viewers and seeders");
  assert.equal(problems({ sites: [site("berlin", { copies: 2.1 })] })[0]!.note, "Last minute; source: reports of viewers and seeders");
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

test("an axis ends with a tick that is not below the largest value", () => {
  assert.deepEqual(ticks(9, 1), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(ticks(900, 1), [0, 200, 400, 600, 800, 1000]);
  assert.deepEqual(ticks(1400, 1), [0, 500, 1000, 1500]);
  assert.deepEqual(ticks(0, 1), [0, 1]);
  assert.deepEqual(ticks(0.3, 1), [0, 1], "stalls are not counted in parts");
  assert.deepEqual(ticks(1, leastStep({ most: 1 })).map((v) => format.percent(v)), ["0", "20", "40", "60", "80", "100"].map((v) => `${v}.0\u00a0%`));
  for (const most of [1, 3, 10, 11, 247, 1e3, 5e6, 599e6, 600e6, 600e6 + 1]) {
    const all = ticks(most, 1);
    assert.ok(all.at(-1)! >= most && all.length >= 2 && all.length <= 6 && all.every((v, i) => v === i * all[1]!), `${most}: ${all}`);
    assert.deepEqual(ticks(all.at(-1)!, 1), all, "the axis that ends there has the same ticks");
  }
});

test("colours of charts have one meaning each", () => {
  const sites = [{ ...part("berlin", 2, 1), line: [2, 0, 0], oneCopy: [1, 0, 0] }];
  const all = charts(historyOf(3, { renditions: [{ ...part("720p", 0, 0), watching: [1, 2, 3] }], sites }), nowOf());
  const colors = Object.fromEntries(all.map((c) => [c.id, c.lines.map((l) => l.color)]));
  assert.deepEqual(colors, {
    viewers: ["people"], offload: ["share"], bytes: ["viewer", "seeder", "http"], copies: ["first"], startup: ["half", "most"], stalls: ["stall"], stall: ["stall"],
    watching: ["first"], origin: ["seeder", "viewer"],
  });
});

test("a value has its unit, and the note of its chart names who reports it", () => {
  const all = charts(historyOf(3), nowOf());
  const stalls = all.find((c) => c.id == "stalls")!;
  assert.deepEqual([stalls.format(0), stalls.format(null), stalls.onAxis!(2)], ["0\u00a0per\u00a0minute", "–", "2"]);
  for (const c of all) assert.match(c.source, /Source: (WebSockets and )?(reports of (viewers|seeders and viewers)|the tracker)$/, c.id);
  assert.deepEqual(["1280x720", "audio"].map(format.pixels), ["1280×720\u00a0px", "audio"]);
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

test("the copies of the worst sites are shown over time, and places without copies are not", () => {
  const sites = [
    { ...part("good", 110, 100), line: [10, 100, null], oneCopy: [10, 90, null] },
    { ...part("worst", 600, 200), line: [400, 200, 0], oneCopy: [100, 100, 0] },
    { ...part("", 900, 10), line: [300, 600, 0], oneCopy: [5, 5, 0] },
    { ...part("…", 900, 10), line: [300, 600, 0], oneCopy: [5, 5, 0] },
    { ...part("alone", 90, 10), line: [90, 0, 0], oneCopy: [10, 0, 0] },
    { ...part("quiet", 90, 0), line: [90, 0, 0], oneCopy: [0, 0, 0] },
  ];
  const now = nowOf({ sites: [site("alone", { alone: 20 })] });
  const of = (list: PartHistory[]) => charts(historyOf(3, { sites: list }), now).find((c) => c.id == "copies")!;
  assert.deepEqual(of(sites).lines.map((l) => [l.label, l.values]), [["worst", [4, 2, null]], ["good", [1, 100 / 90, null]]]);
  const many = of(Array.from({ length: 9 }, (_, i) => ({ ...part(`s${i}`, 10 + i, 10), line: [1, 1, 1], oneCopy: [1, 1, 1] }))).lines;
  assert.deepEqual(many.map((l) => l.label), ["s8", "s7", "s6", "s5", "s4", "s3"]);
  assert.equal(new Set(many.map((l) => l.color)).size, many.length);
});

test("a chart has no more lines than there are colours", () => {
  const renditions = Array.from({ length: 9 }, (_, i) => ({ ...part(`r${i}`, 0, 0), watching: [1, 2, 3] }));
  const lines = charts(historyOf(3, { renditions }), nowOf()).find((c) => c.id == "watching")!.lines;
  assert.equal(new Set(lines.map((l) => l.color)).size, lines.length);
});

const brief = (name: string, more: Partial<Brief> = {}): Brief => ({
  namespace: "media", name, known: true, live: true, viewers: 1, reporting: 1, seeders: 1, bitsPerSecond: 0, originBitsPerSecond: 0, offload: null, worstCopies: null, problems: [], ...more,
});

test("each of many streams has its name and its dashboard", () => {
  assert.equal(fullName(brief("one")), "media/one");
  assert.equal(fullName(brief("one", { namespace: undefined })), "one");
  assert.equal(link(brief("one"), ""), "media/one/dashboard");
  assert.equal(link(brief("a/../b?c"), "#token=x"), "media/a%2F..%2Fb%3Fc/dashboard#token=x");
});

test("the worst problems of all streams come first, and say whose they are", () => {
  const found = problemsOf([
    brief("first", { problems: [{ severity: "warning", text: "seeders are nearly full", runbook: "P2PStreamSeedersFull" }, { severity: "info", text: "no viewer reports" }] }),
    brief("second", { problems: [{ severity: "critical", text: "the origin cannot be read", runbook: "P2PStreamSourceUnreadable" }] }),
    brief("third"),
  ]);
  assert.deepEqual(found.map((p) => [p.severity, p.text, p.runbook]), [
    ["critical", "media/second: the origin cannot be read.", "P2PStreamSourceUnreadable"],
    ["warning", "media/first: seeders are nearly full.", "P2PStreamSeedersFull"],
    ["info", "media/first: no viewer reports.", undefined],
  ]);
});

test("sites of all streams are ranked by the past, and have the viewers of that time", () => {
  const sites = sitesOf(historyOf(3, { sites: [part("good", 100, 100), { ...part("bad", 300, 100), viewers: 12.5 }, part("", 50, 0), part("…", 10, 0)] }));
  assert.deepEqual(sites.map((s) => [s.name, s.copies, s.verdict, s.viewers]), [
    ["bad", 3, "bad", 12.5],
    ["good", 1, "good", 20],
    ["Outside of all sites", null, "", 20],
    ["Other sites", null, "", 20],
  ]);
});

const mesh = (peers: Mesh["peers"], links: Mesh["links"]): Mesh => ({ peers, links, more: 0 });

test("the map has each peer at a place of its own, sites beside each other", () => {
  const peers: Mesh["peers"] = [{ kind: "seeder" }, { kind: "seeder" }];
  for (let i = 0; i < 198; i++) peers.push({ kind: i < 9 ? "gateway" : "viewer", site: ["berlin", "lyon", "paris"][i % 3] });
  const { dots, lines, labels } = picture(mesh(peers, [[0, 2], [2, 5], [2, 3], [1, 900]]));
  assert.equal(new Set(dots.map((d) => `${d.x} ${d.y}`)).size, 200);
  for (const d of dots) assert.ok(d.x >= 0 && d.x <= side && d.y >= 0 && d.y <= side, JSON.stringify(d));
  assert.deepEqual(lines.map((l) => l.across), [true, false, true]);
  assert.deepEqual(labels.map((l) => l.text), ["berlin", "lyon", "paris"]);
  // Peers of one site are within a third of the circle.
  const angle = (i: number) => (Math.atan2(dots[i]!.y - side / 2, dots[i]!.x - side / 2) + 2.5 * Math.PI) % (2 * Math.PI);
  const berlin = peers.flatMap((p, i) => (p.site == "berlin" ? [angle(i)] : []));
  assert.ok(Math.max(...berlin) - Math.min(...berlin) < (2 * Math.PI) / 3);
});

test("a map of one seeder, of nothing, and of sites with long names", () => {
  assert.deepEqual(picture(mesh([{ kind: "seeder" }], [])).dots, [{ x: side / 2, y: side / 2, kind: "seeder" }]);
  assert.deepEqual(picture(mesh([], [])), { dots: [], lines: [], labels: [] });
  assert.equal(picture(mesh([{ kind: "viewer", site: "x".repeat(64) }], [])).labels[0]!.text.length, 18);
  const many = Array.from({ length: 40 }, (_, i) => ({ kind: "viewer" as const, site: `site-${i}` }));
  assert.equal(picture(mesh(many, [])).labels.length, 0);
});

test("the table says which sites are connected", () => {
  const m = mesh([{ kind: "seeder" }, { kind: "gateway", site: "paris" }, { kind: "viewer", site: "paris" }, { kind: "viewer", site: "berlin" }, { kind: "viewer" }], [[0, 1], [1, 2], [2, 3], [3, 1], [0, 77]]);
  assert.deepEqual(between(m), [
    { from: "berlin", to: "paris", connections: 2 },
    { from: "Seeders", to: "paris", connections: 1 },
    { from: "paris", to: "paris", connections: 1 },
  ]);
  assert.equal(alone(m), 1);
});
