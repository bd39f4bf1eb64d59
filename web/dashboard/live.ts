// What pages of dashboards have in common: the time range, the numbers of the server, which come anew, and the CSV. They talk to the
// server that they come from, and to no other host.
import { byId } from "./dom.js";
import { rangeWords } from "./format.js";

export const refresh = 10_000;
const points = 240;
const mostPoints = 1440;

let pending: AbortController | undefined;
let timer = 0;

/** A token may stand after the #, which browsers send to nobody. */
const token = new URLSearchParams(location.hash.slice(1)).get("token");

export const range = (): string => document.querySelector<HTMLInputElement>("input[name=range]:checked")?.value ?? "1h";

/**
 * ask reads from the server. With POST the browser sends an Origin, by which a tracker knows its own page. With a token that does
 * not matter, and a cluster's permissions are for GET.
 */
export async function ask(path: string, count: number, more: string, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(`${path}?from=-${range()}&points=${count}${more}`, { method: token ? "GET" : "POST", headers, signal });
  if (answer.ok) return answer;
  const { error } = (await answer.json().catch(() => ({}))) as { error?: string };
  throw Error(error ?? `the server answers ${answer.status}`);
}

function say(text: string, bad = false): void {
  const status = byId("status");
  // A screen reader reads each change, so that the time of a good answer is not one.
  if (status.textContent != text) status.textContent = text;
  status.className = bad ? "bad" : "";
}

async function update<A>(show: (answer: A) => void, more: () => string): Promise<void> {
  pending?.abort();
  clearTimeout(timer);
  const mine = new AbortController();
  pending = mine;
  try {
    const answer = (await (await ask("v1/history", points, more(), mine.signal)).json()) as A;
    if (pending === mine) {
      show(answer);
      say(`Shows the last ${rangeWords[range()] ?? range()}, updated every ${refresh / 1000} s.`);
      if (performance.getEntriesByName("usable").length == 0) performance.mark("usable");
    }
  } catch (error) {
    if (mine.signal.aborted) return;
    say(`No new figures: ${error instanceof Error ? error.message : String(error)}`, true);
  }
  if (pending === mine && !document.hidden) timer = window.setTimeout(() => void update(show, more), refresh);
}

async function download(): Promise<void> {
  try {
    const url = URL.createObjectURL(await (await ask("v1/history.csv", mostPoints, "")).blob());
    const link = document.createElement("a");
    link.href = url;
    link.download = `p2pstream-${range()}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), refresh);
  } catch (error) {
    say(`No CSV: ${error instanceof Error ? error.message : String(error)}`, true);
  }
}

/** live shows answers for as long as the page is in view. more adds to the query. What it returns asks at once. */
export function live<A>(show: (answer: A) => void, more: () => string = () => ""): () => void {
  const now = (): void => void update(show, more);
  byId("ranges").addEventListener("change", now);
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("csv").addEventListener("click", () => void download());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) now();
  });
  now();
  return now;
}
