// What a tracker answers at v1/history: see runtime/tracker/stats/dashboard.go and internal/history/series.go.

export type Maybe = number | null;

export interface Counters {
  http: number;
  seeder: number;
  viewer: number;
  uploaded: number;
}

export interface Sources {
  origin?: number;
  seederInside?: number;
  seederOutside?: number;
  viewerInside?: number;
  viewerOutside?: number;
}

export interface SiteNow {
  name: string;
  viewers: number;
  reporting: number;
  alone?: number;
  window: Sources;
  copies: Maybe;
  lineBitsPerSecond: number;
  offload: Maybe;
}

export interface Seeder {
  id: string;
  site?: string;
  edgeSite?: string;
  fresh: boolean;
  peers: number;
  maxPeers: number;
  uplinkBps: number;
  uplinkLimitBps: number;
  behind: number;
}

export interface Percentiles {
  count: number;
  p50Ms: number;
  p95Ms: number;
}

export interface RenditionNow {
  name: string;
  type?: string;
  bandwidth?: number;
  resolution?: string;
  viewers: number;
}

export interface Now {
  now: string;
  startedAt: string;
  draining?: boolean;
  stream?: string;
  intervalSeconds: number;
  viewersKnown: boolean;
  viewers: number;
  reporting: number;
  seeders: number;
  seedersHolding: number;
  seederStates: Seeder[];
  live: boolean | null;
  peerable: boolean | null;
  message?: string;
  sourceProblem?: string;
  stunServers: number;
  stunDown: number;
  wrongSegments: number;
  offload: { windowSeconds: number; window: Counters; windowRatio: Maybe; totals: Counters; totalRatio: Maybe; stalls: number };
  startup: Percentiles;
  stall: Percentiles;
  renditions: RenditionNow[];
  hasSites: boolean;
  sites: SiteNow[];
}

export interface PartHistory {
  name: string;
  lineBytes: number;
  receivedBytes: number;
  oneCopyBytes: number;
  viewers: number;
  line?: Maybe[];
  oneCopy?: Maybe[];
  watching?: Maybe[];
}

export interface History {
  from: number;
  to: number;
  stepSeconds: number;
  time: number[];
  covered: Maybe[];
  viewers: Maybe[];
  viewersMost: Maybe[];
  seeders: Maybe[];
  http: Maybe[];
  seeder: Maybe[];
  viewer: Maybe[];
  uploaded: Maybe[];
  seederHTTP: Maybe[];
  stalls: Maybe[];
  stallMs: Maybe[];
  startupP50Ms: Maybe[];
  startupP95Ms: Maybe[];
  stallP95Ms: Maybe[];
  sites: PartHistory[];
  renditions: PartHistory[];
}

export interface Trouble {
  severity: "critical" | "warning" | "info";
  text: string;
  runbook?: string;
}

/** A stream in the list of many: see internal/dashboard/brief.go, and network.go for the rest. */
export interface Brief {
  namespace?: string;
  name: string;
  known: boolean;
  live: boolean | null;
  viewers: number;
  reporting: number;
  seeders: number;
  bitsPerSecond: number;
  originBitsPerSecond: number;
  offload: Maybe;
  worstSite?: string;
  worstCopies: Maybe;
  overloaded?: boolean;
  problems: Trouble[];
}

export interface Overview {
  now: string;
  startedAt: string;
  of: string;
  streams: number;
  watched: number;
  unknown: number;
  critical: number;
  warnings: number;
  viewers: number;
  reporting: number;
  seeders: number;
  bitsPerSecond: number;
  originBitsPerSecond: number;
  offload: Maybe;
  startup: Percentiles;
  stall: Percentiles;
  list: Brief[];
  more: number;
}

export interface NetworkAnswer {
  v: number;
  now: Overview;
  history: History;
}

export interface Answer {
  v: number;
  now: Now;
  history: History;
}
