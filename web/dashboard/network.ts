// The dashboard of many streams: those of one tracker, or all of a cluster.
import { byId, cards, fill, make, panel, row } from "./dom.js";
import * as format from "./format.js";
import { live, range } from "./live.js";
import type { Brief, History, NetworkAnswer, Overview } from "./model.js";
import { fullName, link, problemsOf, sitesOf } from "./overview.js";
import { figure, problemList, startupFigure } from "./page.js";
import { charts, type Chart } from "./series.js";
import type { Site } from "./sites.js";
import { sitesPanel, worstFigure } from "./sitewords.js";

const ofTracker = "tracker";

function showFigures({ now, history }: NetworkAnswer, sites: Site[], words: string): void {
  const worst = sites.find((s) => s.copies !== null);
  const stalls = history.stalls.reduce<number>((sum, n) => sum + (n ?? 0), 0);
  const watched = `${format.count(now.watched)} with viewers${now.unknown > 0 ? `, ${format.count(now.unknown)} without an answer` : ""}; source: ${now.of == ofTracker ? "the table" : "the operator"}`;
  fill("figures",
    figure("streams", "Streams", format.count(now.streams), watched),
    figure("trouble", "Streams with problems", format.count(now.critical + now.warnings), `${format.count(now.critical)} of them critical; source: trackers`, now.critical > 0 ? "bad" : now.warnings > 0 ? "fair" : ""),
    figure("viewers", "Viewers", format.count(now.viewers), "watch now, all streams; source: WebSockets and reports of viewers"),
    figure("offload", "Offload", format.percent(now.offload), now.offload === null ? "No viewer has reported bytes in the last minute" : "of media bytes from peers, last minute, all streams; source: reports of viewers"),
    worst
      ? worstFigure(worst, words, ", all streams")
      : figure("worst", "Worst site", "–", "No viewer at a site has reported in this time"),
    startupFigure(now.startup),
    figure("stalls", "Stalls", format.count(Math.round(stalls)), `in the last ${words}, all streams; source: reports of viewers`),
  );
}

function streamRow(now: Overview, b: Brief): HTMLElement {
  const name = now.of == ofTracker ? make("a", { href: link(b, location.hash) }, fullName(b)) : fullName(b);
  const first = b.problems[0];
  const verdict = first?.severity == "critical" ? "bad" : first?.severity == "warning" ? "fair" : "";
  const wrong = !b.known
    ? make("td", { class: "words" }, "has not answered yet")
    : first
      ? make("td", { class: `words ${verdict}` }, first.text, b.problems.length > 1 ? ` and ${format.count(b.problems.length - 1)} more` : "")
      : make("td", { class: "words" }, "none");
  const worst = b.worstCopies === null ? "–" : `${b.worstSite}: ${format.copies(b.worstCopies)} copies`;
  const site = make("td", { class: b.overloaded ? "bad" : "" }, worst, b.overloaded ? " " : "", b.overloaded ? make("span", { class: "word" }, "too many") : null);
  const out = row("", b.known ? format.count(b.viewers) : "–", format.percent(b.offload), b.known ? format.bits(b.originBitsPerSecond) : "–", b.known ? format.count(b.seeders) : "–", site, wrong);
  out.firstElementChild!.append(name);
  return out;
}

function showStreams(now: Overview, match: string): void {
  if (now.list.length == 0) {
    const text = match ? `No stream has “${match}” in its name.` : now.of == ofTracker ? "The table of streams is empty." : "The operator runs no stream.";
    fill("streams", make("p", { class: "panel empty" }, text));
    return;
  }
  const out = panel("Figures of now or of the last minute, problems first, then most viewers. Worst site: copies of the stream on its line. Source: trackers and reports of viewers",
    "Streams", ["Stream", "Viewers", "Offload", "From the origin", "Seeders", "Worst site", "Problems"], now.list.map((b) => streamRow(now, b)));
  out.querySelector("thead th:last-child")!.classList.add("words");
  if (now.more > 0) out.append(make("p", { class: "note" }, `and ${format.plural(now.more, "more stream")}; look for a name to see them`));
  fill("streams", cards(out));
}

function showSites(sites: Site[], words: string): void {
  if (sites.length == 0) {
    fill("sites", make("p", { class: "panel empty" }, "No viewer at a site has reported in this time."));
    return;
  }
  fill("sites", sitesPanel(sites, `All streams together, mean of the last ${words}.`, false));
}

/** network runs the page. */
export function network(draw: (charts: Chart[], history: History) => void, about: (now: Overview, who: string) => void): void {
  const search = byId("match") as HTMLInputElement;
  const match = (): string => search.value.trim();
  const again = live<NetworkAnswer>((answer) => {
    const { now, history } = answer;
    const tracker = now.of == ofTracker;
    const words = format.rangeWords[range()] ?? range();
    const sites = sitesOf(history);
    byId("stream").textContent = tracker ? "All streams of this tracker" : "All streams of this operator";
    showFigures(answer, sites, words);
    showStreams(now, match());
    showSites(sites, words);
    fill("problems", problemList(problemsOf(now.list), tracker ? "the tracker knows of" : "the operator knows of"));
    draw(charts(history, { renditions: [], sites: [] }).filter((chart) => chart.id != "watching"), history);
    about(now, tracker ? "The tracker" : "The operator");
  }, () => (match() ? `&match=${encodeURIComponent(match())}` : ""));
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(again, 300);
  });
}
