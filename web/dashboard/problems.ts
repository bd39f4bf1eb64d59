// What is wrong, in words. The bounds are those of the alerts in charts/p2pstream/monitoring/rules.yaml, and so are the links.
import { count, copies, duration, percent, plural } from "./format.js";
import { manyViewers, type Site } from "./sites.js";
import type { Answer, History } from "./model.js";

export type Severity = "critical" | "warning" | "info";

export interface Problem {
  severity: Severity;
  text: string;
  /** Of which time it is, and who says so. */
  note: string;
  /** The name of the alert, which has a runbook. */
  runbook?: string;
}

export const runbookURL = (name: string): string => `https://github.com/p2pstream/p2pstream/blob/main/docs/runbooks/${name}.md`;

/** titles are those of the runbooks, by the name of the alert. */
const titles: Record<string, string> = {
  P2PStreamLineOverloaded: "The line of a site carries too many copies",
  P2PStreamNoTelemetry: "Viewers do not report",
  P2PStreamNotShared: "Viewers cannot share the stream",
  P2PStreamOffloadLost: "Little comes from peers",
  P2PStreamSeedersBehind: "Seeders lack the newest segments",
  P2PStreamSeedersFull: "Seeders have no room",
  P2PStreamSeedersGone: "No seeder reports",
  P2PStreamSegmentsWrong: "Peers send wrong segments",
  P2PStreamSourceUnreadable: "The manifest cannot be read",
  P2PStreamStartsSlowly: "Viewers wait long for the first picture",
  P2PStreamViewersStall: "Viewers stand still",
};

/** runbookTitle is what a runbook is called; one that is not known has the name of its alert. */
export const runbookTitle = (name: string): string => titles[name] ?? name;

const order: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** stalledShare is the share of their time that viewers have stood still in the last seconds of a history; null: nobody watched. */
export function stalledShare(history: History, seconds: number): number | null {
  let stalled = 0;
  let watched = 0;
  for (let i = history.time.length - 1; i >= 0 && history.time[i]! > history.to - seconds - history.stepSeconds; i--) {
    stalled += (history.stallMs[i] ?? 0) / 1000;
    watched += (history.viewers[i] ?? 0) * (history.covered[i] ?? 0);
  }
  return watched > 0 ? stalled / watched : null;
}

/** mostSites is how many sites are named one by one. */
const mostSites = 3;

/** findProblems finds what is wrong. The time range of the history is in words. */
export function findProblems({ now, history }: Answer, sites: Site[], range: string): Problem[] {
  const out: Problem[] = [];
  const add = (severity: Severity, text: string, note: string, runbook?: string) => out.push({ severity, text, note, runbook });
  const ofTracker = "Now; source: the tracker";
  const ofSeeders = "Now; source: reports of seeders";
  const ofViewers = (last: string) => `Last ${last}; source: reports of viewers`;
  const ofLines = (past: boolean) => `${ofViewers(past ? range : "minute")} and seeders`;
  const { reporting, viewers } = now;
  if (now.sourceProblem) add("critical", `The tracker cannot read the stream from its origin: ${now.sourceProblem}`, ofTracker, "P2PStreamSourceUnreadable");
  const stalled = stalledShare(history, 300);
  if (stalled !== null && stalled > 0.01 && reporting >= 3) {
    add("critical", `Viewers stand still for ${percent(stalled)} of their time.`, ofViewers("5 min"), "P2PStreamViewersStall");
  }
  const bad = sites.filter((s) => s.verdict == "bad");
  for (const site of bad.slice(0, mostSites)) {
    add("warning", `The line of ${site.name} carries ${copies(site.copies)} copies of what is played there, for ${plural(site.viewers, "viewer")}. One is enough.`, ofLines(site.past), "P2PStreamLineOverloaded");
  }
  if (bad.length > mostSites) add("warning", `The lines of ${plural(bad.length - mostSites, "more site")} carry too many copies.`, ofLines(bad.every((s) => s.past)), "P2PStreamLineOverloaded");
  if (now.peerable === false) {
    add("warning", `Viewers cannot share this stream, and take all of it from the origin. ${now.message ?? ""}`.trim(), ofTracker, "P2PStreamNotShared");
  }
  if (now.startup.count > 0 && now.startup.p95Ms > 5000) {
    add("warning", `One viewer of twenty waits longer than ${duration(now.startup.p95Ms)} for the first picture.`, ofViewers("5 to 10 min"), "P2PStreamStartsSlowly");
  }
  const offload = now.offload.windowRatio;
  if (offload !== null && offload < 0.5 && reporting >= manyViewers) {
    add("warning", `Only ${percent(offload)} of what viewers receive comes from peers.`, ofViewers(`${count(now.offload.windowSeconds)} s`), "P2PStreamOffloadLost");
  }
  const behind = now.seederStates.filter((s) => s.fresh && s.behind > 0 && !s.edgeSite);
  if (behind.length > 0) add("warning", `${plural(behind.length, "seeder lacks", "seeders lack")} the newest segments.`, ofSeeders, "P2PStreamSeedersBehind");
  const fresh = now.seederStates.filter((s) => s.fresh);
  if (now.seederStates.length > 0 && fresh.length == 0) add("critical", "No seeder reports any more.", ofSeeders, "P2PStreamSeedersGone");
  const limited = fresh.filter((s) => s.maxPeers > 0);
  const room = limited.reduce((sum, s) => sum + s.maxPeers, 0);
  const load = limited.reduce((sum, s) => sum + s.peers, 0);
  if (room > 0 && limited.length == fresh.length && load > 0.9 * room) {
    add("warning", `Seeders are nearly full: ${count(load)} of ${count(room)} places are taken.`, ofSeeders, "P2PStreamSeedersFull");
  }
  if (now.wrongSegments > 0) {
    add("warning", `Viewers have refused ${plural(now.wrongSegments, "segment")} from peers that ${now.wrongSegments == 1 ? "was" : "were"} not what ${now.wrongSegments == 1 ? "it" : "they"} should be.`, "Since the tracker began; source: reports of viewers", "P2PStreamSegmentsWrong");
  }
  if (now.stunDown > 0) add("warning", `${count(now.stunDown)} of ${plural(now.stunServers, "STUN server")} ${now.stunDown == 1 ? "does" : "do"} not answer. Browsers may not find each other.`, ofTracker);
  if (viewers >= 5 && reporting == 0) add("info", `${plural(viewers, "viewer")} watch, and none of them reports. Most figures are missing.`, "Now; source: WebSockets", "P2PStreamNoTelemetry");
  if (now.draining) add("info", "This tracker is shutting down. Its viewers move to another one.", ofTracker);
  return out.sort((a, b) => order[a.severity] - order[b.severity]);
}
