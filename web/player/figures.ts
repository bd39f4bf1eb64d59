// Figures about where bytes come from, in words and units.

export const sources = ["http", "seeder", "viewer"] as const;
export type Source = (typeof sources)[number];
export type Bytes = Readonly<Record<Source, number>>;

const scaled = (n: number, units: string[]): string => {
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${n.toFixed(i && n < 100 ? 1 : 0)} ${units[i]}`;
};

export const inBytes = (n: number): string => scaled(n, ["B", "kB", "MB", "GB", "TB"]);

/** inBits is a rate of bits per second, in kbit/s or Mbit/s. */
export const inBits = (perSecond: number): string => scaled(perSecond / 1000, ["kbit/s", "Mbit/s", "Gbit/s"]);

export const share = (part: number, whole: number): string => (whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : "–");

export const received = (b: Bytes): number => b.http + b.seeder + b.viewer;

const windowMs = 10_000; // segments come in bursts: a rate is that of the last ten seconds

/** Rates are of bytes that are counted up. */
export class Rates {
  private samples: [at: number, bytes: Bytes][] = [];

  /** add notes what was counted at a time, in milliseconds, and returns bits per second by source; undefined: not known yet. */
  add(at: number, { http, seeder, viewer }: Bytes): Bytes | undefined {
    const last = this.samples.at(-1);
    if (last && received(last[1]) > http + seeder + viewer) this.samples = []; // counted anew
    this.samples.push([at, { http, seeder, viewer }]);
    while (this.samples.length > 2 && at - this.samples[1]![0] >= windowMs) this.samples.shift();
    const [from, before] = this.samples[0]!;
    const seconds = (at - from) / 1000;
    if (seconds < 1) return undefined;
    const rate = (source: Source, now: number) => (8 * (now - before[source])) / seconds;
    return { http: rate("http", http), seeder: rate("seeder", seeder), viewer: rate("viewer", viewer) };
  }
}

/** Totals are of numbers that are counted up, and begin anew when the page joins anew. */
export class Totals<K extends string> {
  private before = {} as Record<K, number>;
  private last = {} as Record<K, number>;

  /** add notes what was counted, and returns the totals. */
  add(counted: Readonly<Record<K, number>>): Record<K, number> {
    const out = {} as Record<K, number>;
    for (const key of Object.keys(counted) as K[]) {
      const [now, last, before] = [counted[key], this.last[key] ?? 0, this.before[key] ?? 0];
      this.before[key] = before + (now < last ? last : 0);
      this.last[key] = now;
      out[key] = this.before[key] + now;
    }
    return out;
  }
}

const recentMs = 30_000; // so that what is said of segments that come in turns does not change with each

/** Recent tells which of the numbers that are counted up have grown lately. */
export class Recent<K extends string> {
  private last = {} as Record<K, number>;
  private grew = {} as Record<K, number>;

  /** add notes what was counted at a time, in milliseconds. */
  add(at: number, counted: Readonly<Record<K, number>>): Record<K, boolean> {
    const out = {} as Record<K, boolean>;
    for (const key of Object.keys(counted) as K[]) {
      if (counted[key] > (this.last[key] ?? 0)) this.grew[key] = at;
      this.last[key] = counted[key];
      out[key] = this.grew[key] !== undefined && at - this.grew[key] < recentMs;
    }
    return out;
  }
}

/** connections says to whom there are connections: a peer has one for each rendition that it shares. */
export function connections(toSeeders: readonly boolean[]): string {
  if (!toSeeders.length) return "none";
  const seeders = toSeeders.filter(Boolean).length;
  return `${seeders} to seeders, ${toSeeders.length - seeders} to viewers`;
}

/** insideOf adds up what came from peers of the same site, over all renditions. */
export const insideOf = (played: Readonly<Record<string, { seederInside?: number; viewerInside?: number }>>): number =>
  Object.values(played).reduce((sum, { seederInside = 0, viewerInside = 0 }) => sum + seederInside + viewerInside, 0);
