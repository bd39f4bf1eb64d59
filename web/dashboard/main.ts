// The dashboard of one stream. It talks to the tracker that it comes from, and to no other host.
import { ChartView } from "./chart.js";
import { byId } from "./dom.js";
import { clock, rangeWords } from "./format.js";
import type { Answer } from "./model.js";
import { showWords } from "./page.js";
import { charts } from "./series.js";

const refresh = 10_000;
const points = 240;
const mostPoints = 1440;

const views = new Map<string, ChartView>();
let pending: AbortController | undefined;
let timer = 0;

/** A token of a seeder may stand after the #, which browsers send to nobody. */
const token = new URLSearchParams(location.hash.slice(1)).get("token");

const range = (): string => document.querySelector<HTMLInputElement>("input[name=range]:checked")?.value ?? "1h";

/** ask reads from the tracker. With POST the browser sends an Origin, by which the tracker knows its own page. */
async function ask(path: string, count: number, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(`${path}?from=-${range()}&points=${count}`, { method: "POST", headers, signal });
  if (answer.ok) return answer;
  const { error } = (await answer.json().catch(() => ({}))) as { error?: string };
  throw Error(error ?? `the tracker answers ${answer.status}`);
}

function say(text: string, bad = false): void {
  const status = byId("status");
  // A screen reader reads each change, so that the time of a good answer is not one.
  if (status.textContent != text) status.textContent = text;
  status.className = bad ? "bad" : "";
}

function show(answer: Answer): void {
  const { now, history } = answer;
  const name = now.stream ?? "";
  byId("stream").textContent = name + (now.live === null ? "" : now.live ? " · live" : " · film");
  document.title = `${name ? `${name} · ` : ""}p2pstream dashboard`;
  showWords(answer, range());
  for (const chart of charts(history, now)) {
    let view = views.get(chart.id);
    if (!view) {
      view = new ChartView();
      views.set(chart.id, view);
      byId("charts").append(view.element);
    }
    view.show(chart, history.time, history.stepSeconds);
  }
  byId("about").textContent = `As of ${clock(Date.parse(now.now) / 1000, true)}, all times are of this device. The tracker remembers 24 h and began at ${new Date(now.startedAt).toLocaleString("en-GB")}; where it knows nothing, charts have gaps.`;
  say(`Shows the last ${rangeWords[range()] ?? range()}, anew every ${refresh / 1000} s.`);
  if (performance.getEntriesByName("usable").length == 0) performance.mark("usable");
}

async function update(): Promise<void> {
  pending?.abort();
  clearTimeout(timer);
  const mine = new AbortController();
  pending = mine;
  try {
    const answer = (await (await ask("v1/history", points, mine.signal)).json()) as Answer;
    if (pending === mine) show(answer);
  } catch (error) {
    if (mine.signal.aborted) return;
    say(`No new figures: ${error instanceof Error ? error.message : String(error)}`, true);
  }
  if (pending === mine && !document.hidden) timer = window.setTimeout(update, refresh);
}

async function download(): Promise<void> {
  try {
    const url = URL.createObjectURL(await (await ask("v1/history.csv", mostPoints)).blob());
    const link = document.createElement("a");
    link.href = url;
    link.download = `p2pstream-${range()}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), refresh);
  } catch (error) {
    say(`No CSV: ${error instanceof Error ? error.message : String(error)}`, true);
  }
}

byId("ranges").addEventListener("change", () => void update());
byId("controls").addEventListener("submit", (event) => event.preventDefault());
byId("csv").addEventListener("click", () => void download());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void update();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => views.forEach((view) => view.redraw()));
void update();
