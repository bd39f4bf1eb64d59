/** The public part of a p2p-media-loader engine that reports need. */
export interface ReportedEngine {
  addEventListener(name: string, listener: (...values: any[]) => void): void;
  removeEventListener(name: string, listener: (...values: any[]) => void): void;
}

/** Bytes by source, since the engine started. */
export interface ReportedCounters {
  http: number;
  seeder: number;
  viewer: number;
  discarded: number;
  uploaded: number;
}

export interface Reports {
  counters: ReportedCounters;
  peers: Map<string, boolean>;
  /** Bytes by rendition and source, from peers inside the page's site and outside. */
  played: Record<string, { r: string; origin?: number; seederInside?: number; seederOutside?: number; viewerInside?: number; viewerOutside?: number }>;
  stalls(): number;
  stop(): void;
}

export function attach(
  engine: ReportedEngine,
  config: object,
  video?: HTMLVideoElement | null,
  options?: { part?: (name: "check" | "report") => Promise<unknown>; firstFrameMs?: number; asked?: number },
): Reports;
