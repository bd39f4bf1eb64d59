// The parts of the page that are words and tables.
import { bar, cards, fill, make, panel, row } from "./dom.js";
import * as format from "./format.js";
import type { Answer, Now, Percentiles } from "./model.js";
import { findProblems, runbookTitle, runbookURL, type Problem } from "./problems.js";
import { rankSites, type Site } from "./sites.js";
import { sitesPanel, worstFigure } from "./sitewords.js";

/** figure is one number with its name, and its unit and source below it. */
export function figure(id: string, name: string, value: string, note: string, verdict = ""): HTMLElement {
  return make("div", { id: `figure-${id}` }, make("dt", {}, name), make("dd", { class: `value ${verdict}` }, value), make("dd", { class: "note" }, note));
}

/** startupFigure is how long viewers wait for the first picture. */
export const startupFigure = ({ count, p50Ms, p95Ms }: Percentiles): HTMLElement =>
  count > 0
    ? figure("startup", "First picture", format.duration(p95Ms), `95 % of starts took at most this, half at most ${format.duration(p50Ms)}; last 5 to 10 min; source: reports of viewers`)
    : figure("startup", "First picture", "–", "No viewer has started in the last 5 to 10 min");

/** noViewer is what a page says of a stream that nobody has reported of. */
export const noViewer = "No viewer has reported yet.";

function showFigures({ now, history }: Answer, sites: Site[], range: string): void {
  const words = format.rangeWords[range] ?? range;
  const { offload } = now;
  const worst = sites.find((s) => s.copies !== null);
  const stalls = history.stalls.reduce<number>((sum, n) => sum + (n ?? 0), 0);
  const seconds = `last ${format.count(offload.windowSeconds)} s`;
  const copies = worst
    ? worstFigure(worst, words)
    : figure("worst", "Worst site", "–", now.hasSites ? "No viewer at a site has reported yet" : "No sites are configured");
  fill("figures",
    copies,
    figure("viewers", "Viewers", format.count(now.viewers), now.viewersKnown ? "watch now; source: WebSockets and reports of viewers" : "have come back so far: the tracker has just started"),
    figure("offload", "Offload", format.percent(offload.windowRatio), offload.windowRatio === null ? `No viewer has reported bytes in the ${seconds}` : `of media bytes from peers, ${seconds}; source: reports of viewers`),
    startupFigure(now.startup),
    figure("stalls", "Stalls", format.count(Math.round(stalls)), now.reporting + offload.totals.http + offload.totals.seeder + offload.totals.viewer > 0 ? `in the last ${words}; source: reports of viewers` : noViewer),
    figure("seeders", "Seeders", format.count(now.seeders), `${format.count(now.seedersHolding)} hold the stream and have room now; source: reports of seeders`),
  );
}

function showSites({ now }: Answer, sites: Site[], range: string): void {
  if (!now.hasSites) {
    fill("sites", make("p", { class: "panel empty" }, "No sites are configured: give the tracker a map of them to see what each line carries."));
    return;
  }
  if (sites.length == 0) {
    fill("sites", make("p", { class: "panel empty" }, noViewer));
    return;
  }
  const words = format.rangeWords[range] ?? range;
  fill("sites", sitesPanel(sites, `Copies and line: last ${words}. Viewers and offload: now.`, true));
}

const severityWords = { critical: "Critical", warning: "Warning", info: "Note" };
const severityVerdicts = { critical: "bad", warning: "fair", info: "" };
const mostProblems = 8;

/** problemList shows problems, which are sorted. */
export function problemList(problems: Problem[], known = "the tracker knows of"): HTMLElement {
  if (problems.length == 0) {
    return make("p", { class: "panel" }, make("span", { class: "word good" }, "Nothing is wrong"), ` that ${known}.`);
  }
  const items = problems.slice(0, mostProblems).map((p) =>
    make("li", {}, make("span", { class: `word ${severityVerdicts[p.severity]}` }, severityWords[p.severity]), ` ${p.text} `,
      p.runbook ? make("a", { href: runbookURL(p.runbook), rel: "noreferrer" }, `What to do: ${runbookTitle(p.runbook)}`) : null,
      make("p", { class: "note" }, `${p.note}.`)));
  const more = problems.length - mostProblems;
  return make("div", { class: "panel" }, make("ul", {}, ...items), more > 0 ? make("p", { class: "note" }, `and ${format.plural(more, "more problem")}`) : null);
}

function showSeeders(now: Now): void {
  if (now.seederStates.length == 0) {
    fill("seeders", make("p", { class: "panel empty" }, now.seeders > 0 ? "Seeders are connected, and none of them has reported yet." : "No seeder has reported yet."));
    return;
  }
  const rows = now.seederStates.map((s) => {
    const full = s.maxPeers > 0 && s.peers > 0.9 * s.maxPeers;
    const verdict = full ? "bad" : "good";
    const load = make("td", { class: `copies ${s.maxPeers > 0 ? verdict : ""}` }, s.maxPeers > 0 ? `${format.count(s.peers)} of ${format.plural(s.maxPeers, "viewer")}` : format.plural(s.peers, "viewer"),
      full ? " " : "", full ? make("span", { class: "word" }, "full") : null, s.maxPeers > 0 ? bar(s.peers / s.maxPeers) : null);
    const uplink = s.uplinkLimitBps > 0 ? `${format.bits(s.uplinkBps)} of ${format.bits(s.uplinkLimitBps)}` : format.bits(s.uplinkBps);
    const state = !s.fresh ? make("td", { class: "bad" }, "silent") : s.behind > 0 ? make("td", { class: "bad" }, "behind") : make("td", {}, "OK");
    return row(s.id, s.edgeSite || s.site || "–", load, uplink, state);
  });
  const out = panel("Viewers that are connected, and bits that are sent, of what the seeder allows; now. Source: reports of seeders", "Seeders", ["Seeder", "Site", "Load", "Uplink", "State"], rows);
  out.querySelectorAll("thead th")[2]!.classList.add("copies");
  fill("seeders", cards(out));
}

function showRenditions(now: Now): void {
  if (now.renditions.length == 0) {
    fill("renditions", make("p", { class: "panel empty" }, "The tracker has not read the renditions of the stream yet."));
    return;
  }
  const rows = now.renditions.map((r) => row(r.name || "–", (r.resolution && format.pixels(r.resolution)) || (r.type == "secondary" ? "audio" : "–"), r.bandwidth ? format.bits(r.bandwidth) : "–", format.count(r.viewers)));
  fill("renditions", panel("Viewers are members of the rendition's swarms now. Source: the tracker; bit rates: the manifest", "Renditions", ["Rendition", "Picture", "Bit rate", "Viewers"], rows));
}

/** showWords fills all of the page but its charts. */
export function showWords(answer: Answer, range: string): void {
  const sites = rankSites(answer);
  showFigures(answer, sites, range);
  showSites(answer, sites, range);
  fill("problems", problemList(findProblems(answer, sites, format.rangeWords[range] ?? range)));
  showSeeders(answer.now);
  showRenditions(answer.now);
}
