// Which office is worst: how often the line of each carries what is played there.
import type { History, Maybe, Now } from "./model.js";

/** other is the name of the sum of sites without figures of their own, now and in the past. */
const other = new Set(["other", "…"]);

export type Verdict = "good" | "fair" | "bad" | "";

export interface Site {
  /** The name as the server writes it. */
  key: string;
  name: string;
  copies: Maybe;
  /** Copies are those of the time range. Otherwise they are those of the last minute. */
  past: boolean;
  lineBitsPerSecond: Maybe;
  viewers: number;
  offload: Maybe;
  verdict: Verdict;
  word: string;
}

/** Above these a line carries too much; the second one is that of the alert P2PStreamLineOverloaded, as is the number of viewers. */
const fairCopies = 1.5;
const badCopies = 2;
export const manyViewers = 10;

/** limits says what the words beside copies mean. */
export const limits = `Good: up to ${fairCopies} copies; more than needed: up to ${badCopies}; too many: above, for ${manyViewers} viewers or more.`;

/** scale is how many copies the longest of the bars beside sites stands for. */
export const scale = (sites: Pick<Site, "copies">[]): number => Math.max(badCopies, ...sites.map((s) => s.copies ?? 0));

function verdictOf(copies: Maybe, viewers: number): [Verdict, string] {
  if (copies === null) return ["", ""];
  if (copies <= fairCopies) return ["good", "good"];
  if (copies <= badCopies) return ["fair", "more than needed"];
  if (viewers < manyViewers) return ["fair", "high, few viewers"];
  return ["bad", "too many"];
}

const rank: Record<Verdict, number> = { bad: 0, fair: 1, good: 2, "": 3 };

/**
 * rankSites makes one list of the sites that are known now and those of the time range, the worst first. Copies and the rate of the
 * line are those of the time range, or where it knows nothing, of now. Viewers and offload are those of now.
 */
export function rankSites({ now, history }: { now: Pick<Now, "sites">; history: History }): Site[] {
  const covered = history.covered.reduce<number>((sum, s) => sum + (s ?? 0), 0);
  const past = new Map(history.sites.map((s) => [s.name, s]));
  const live = new Map(now.sites.map((s) => [other.has(s.name) ? "…" : s.name, s]));
  const names = new Set([...live.keys(), ...past.keys()]);
  const sites = [...names].map((key): Site => {
    const p = past.get(key);
    const n = live.get(key);
    const isPlace = key !== "" && !other.has(key);
    const counts = isPlace && !(n && (n.alone ?? 0) > 0 && n.alone === n.reporting);
    const ofRange = p !== undefined && p.oneCopyBytes > 0;
    const copies = !counts ? null : ofRange ? p.lineBytes / p.oneCopyBytes : (n?.copies ?? null);
    const lineBitsPerSecond = p && covered > 0 ? (8 * p.lineBytes) / covered : (n?.lineBitsPerSecond ?? null);
    const viewers = n?.viewers ?? 0;
    const [verdict, word] = verdictOf(copies, Math.max(viewers, p?.viewers ?? 0));
    const name = key === "" ? "Outside of all sites" : isPlace ? key : "Other sites";
    return { key, name, copies, past: ofRange, lineBitsPerSecond, viewers, offload: n?.offload ?? null, verdict, word };
  });
  return sites.sort(
    (a, b) => rank[a.verdict] - rank[b.verdict] || (b.copies ?? -1) - (a.copies ?? -1) || (b.lineBitsPerSecond ?? 0) - (a.lineBitsPerSecond ?? 0) || (a.name < b.name ? -1 : 1),
  );
}
