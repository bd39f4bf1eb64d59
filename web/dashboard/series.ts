// From a history to the lines of charts.
import * as format from "./format.js";
import type { History, Maybe, Now } from "./model.js";
import { rankSites } from "./sites.js";

export interface Line {
  label: string;
  /** One of the classes of dashboard.css that have a colour. */
  color: string;
  values: Maybe[];
  fill?: boolean;
  /** The title of the chart says what it is, and the legend says when. */
  bare?: boolean;
}

export interface Chart {
  id: string;
  title: string;
  /** Unit and source, below the title. */
  source: string;
  lines: Line[];
  /** The lines stand on each other. */
  stacked?: boolean;
  /** The highest value of the axis; otherwise it follows from the values. */
  most?: number;
  format: (value: Maybe) => string;
  /** How the axis writes its values, if it is shorter. */
  onAxis?: (value: Maybe) => string;
  /** What is said instead of a chart without values. */
  empty: string;
}

/** perSecond makes rates of what came in each step. */
export const perSecond = (values: Maybe[], covered: Maybe[], factor = 1): Maybe[] =>
  values.map((v, i) => (v === null || !covered[i] ? null : (factor * v) / covered[i]!));

/** ratios are the shares of some sums in others; null where nothing came. */
export function ratios(parts: Maybe[][], wholes: Maybe[][]): Maybe[] {
  const sum = (lists: Maybe[][], i: number) => lists.reduce((s, list) => s + (list[i] ?? 0), 0);
  return (wholes[0] ?? []).map((_, i) => {
    const whole = sum(wholes, i);
    return whole > 0 ? sum(parts, i) / whole : null;
  });
}

/** ticks are values for an axis from 0 to one that is not below the most, in steps of 1, 2 or 5 times a power of ten, at least the least. */
export function ticks(most: number, least: number): number[] {
  const wanted = 5;
  const want = Math.max(most > 0 && Number.isFinite(most) ? most / wanted : 0, least);
  const power = 10 ** Math.floor(Math.log10(want));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= want * (1 - 1e-9)) ?? want;
  const steps = Math.max(1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: steps + 1 }, (_, i) => i * step);
}

/** leastStep is the least step of an axis. Shares have one of theirs; other values are counted in whole bits, milliseconds or viewers. */
export const leastStep = (chart: Pick<Chart, "most">): number => (chart.most === undefined ? 1 : 0.2);

/** stack adds the lines below to each line: the first one is at the bottom. */
export function stack(lines: Maybe[][]): Maybe[][] {
  const out: Maybe[][] = [];
  lines.forEach((line, n) => {
    const below = out[n - 1];
    out.push(line.map((v, i) => (v === null ? null : v + (below?.[i] ?? 0))));
  });
  return out;
}

/** isEmpty tells whether a chart would show nothing. */
export const isEmpty = (chart: Chart): boolean => !chart.lines.some((line) => line.values.some((v) => v !== null && (v > 0 || chart.id == "offload")));

/**
 * Colours of lines have one meaning on the whole page: http, seeder and viewer are where bytes come from, or who takes them; people is
 * how many watch, share is the offload, stall is stalls, most and half are percentiles, and these are renditions.
 */
const colors = ["first", "second", "third", "fourth", "fifth", "sixth"];

const perMinute = (value: Maybe): string => (value === null ? format.count(value) : `${format.count(value)}\u00a0per\u00a0minute`);

/** copiesAtSites are the lines of the worst sites of a time range, as the list of sites has them. */
function copiesAtSites(h: History, now: Pick<Now, "sites">): Line[] {
  const past = new Map(h.sites.map((s) => [s.name, s]));
  const worst = rankSites({ now, history: h }).filter((s) => s.past && s.copies !== null);
  return worst.slice(0, colors.length).map(({ key, name }, i) => {
    const { line = [], oneCopy = [] } = past.get(key)!;
    return { label: name, color: colors[i]!, values: ratios([line], [oneCopy]) };
  });
}

export function charts(h: History, now: Pick<Now, "renditions" | "sites">): Chart[] {
  const bits = (values: Maybe[]) => perSecond(values, h.covered, 8);
  const reports = "Source: reports of viewers";
  const nobody = "No viewer has reported in this time.";
  return [
    {
      id: "viewers", title: "Viewers", source: "Viewers at once, the most in each step. Source: WebSockets and reports of viewers", format: format.count,
      lines: [{ label: "viewers", color: "people", values: h.viewersMost, fill: true, bare: true }], empty: "No viewer was here in this time.",
    },
    {
      id: "offload", title: "Offload", source: `Share of media bytes that came from peers. ${reports}`, format: format.percent, most: 1,
      lines: [{ label: "offload", color: "share", values: ratios([h.seeder, h.viewer], [h.seeder, h.viewer, h.http]), fill: true, bare: true }], empty: nobody,
    },
    {
      id: "bytes", title: "Where the bytes come from", source: `Media that viewers receive, stacked. ${reports}`, format: format.bits, stacked: true,
      lines: [
        { label: "from viewers", color: "viewer", values: bits(h.viewer), fill: true },
        { label: "from seeders", color: "seeder", values: bits(h.seeder), fill: true },
        { label: "from the origin", color: "http", values: bits(h.http), fill: true },
      ],
      empty: nobody,
    },
    {
      id: "copies", title: "Copies at sites", source: `Media on the line ÷ one copy of what is played, of the ${colors.length} worst sites in this time. One is enough. Source: reports of seeders and viewers`,
      format: format.copies, lines: copiesAtSites(h, now), empty: "No viewer at a site has reported in this time.",
    },
    {
      id: "startup", title: "Time to the first picture", source: `Percentiles of the last 5 to 10 minutes at each time. ${reports}`, format: format.duration,
      lines: [
        { label: "half of the starts took at most", color: "half", values: h.startupP50Ms },
        { label: "95 % took at most", color: "most", values: h.startupP95Ms },
      ],
      empty: "No viewer has started in this time.",
    },
    {
      id: "stalls", title: "Stalls", source: `Stops for lack of media of all viewers, per minute. ${reports}`, format: perMinute, onAxis: format.count,
      lines: [{ label: "stalls", color: "stall", values: perSecond(h.stalls, h.covered, 60), fill: true, bare: true }], empty: "No stall was reported in this time.",
    },
    {
      id: "stall", title: "Length of a stall", source: `95th percentile of the last 5 to 10 minutes at each time. ${reports}`, format: format.duration,
      lines: [{ label: "95 % took at most", color: "stall", values: h.stallP95Ms }], empty: "No stall was reported in this time.",
    },
    {
      id: "watching", title: "Viewers by rendition", source: "Members of the swarms of each rendition. Source: the tracker", format: format.count,
      lines: h.renditions.slice(0, colors.length).map((r, i) => ({ label: r.name === "…" ? "other" : r.name, color: colors[i]!, values: r.watching ?? [] })),
      empty: now.renditions.length > 0 ? "No viewer has joined a swarm in this time." : "The renditions of the stream are not known.",
    },
    {
      id: "origin", title: "Load of the origin", source: "What seeders and viewers take from the origin, stacked. Source: reports of seeders and viewers", format: format.bits, stacked: true,
      lines: [
        { label: "seeders", color: "seeder", values: bits(h.seederHTTP), fill: true },
        { label: "viewers", color: "viewer", values: bits(h.http), fill: true },
      ],
      empty: "Nothing was taken from the origin in this time.",
    },
  ];
}

/** latest is the index of the last point of a chart that has a value, −1 if none has. */
export function latest(chart: Chart): number {
  for (let i = (chart.lines[0]?.values.length ?? 0) - 1; i >= 0; i--) {
    if (chart.lines.some((line) => line.values[i] !== null && line.values[i] !== undefined)) return i;
  }
  return -1;
}
