// From what is known of many streams to what their dashboard says.
import type { Brief, History } from "./model.js";
import type { Problem } from "./problems.js";
import { rankSites, type Site } from "./sites.js";

/** fullName is the name of a stream as kubectl writes it. */
export const fullName = (b: Pick<Brief, "namespace" | "name">): string => (b.namespace ? `${b.namespace}/${b.name}` : b.name);

/** link is where the dashboard of a stream is, relative to this page. A token goes along. */
export const link = (b: Pick<Brief, "namespace" | "name">, hash: string): string =>
  `${encodeURIComponent(b.namespace ?? "")}/${encodeURIComponent(b.name)}/dashboard${hash}`;

/** Trackers say what is wrong in few words, without the time that each is of. */
const note = "Now, or the last minutes; source: the tracker of the stream";

/** problemsOf lists what is wrong with all streams, the worst first. */
export function problemsOf(list: Brief[]): Problem[] {
  const order = { critical: 0, warning: 1, info: 2 };
  const all = list.flatMap((b) => b.problems.map((p): Problem => ({ ...p, text: `${fullName(b)}: ${p.text}.`, note })));
  return all.sort((a, b) => order[a.severity] - order[b.severity]);
}

/** sitesOf ranks the sites of all streams together. Their viewers are the mean of the time range. */
export function sitesOf(history: History): Site[] {
  const past = new Map(history.sites.map((s) => [s.name, s.viewers]));
  const viewers = (s: Site): number => past.get(s.key) ?? 0;
  return rankSites({ now: { sites: [] }, history }).map((s) => ({ ...s, viewers: viewers(s) }));
}
