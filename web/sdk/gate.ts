import type { HlsLoader, HlsLoaderClass } from "./players.js";

/** What a gate asks when a segment is to be loaded. */
export interface Gatekeeper {
  /** loader is what loads segments now; undefined: that is decided soon. */
  loader(): HlsLoaderClass | undefined;
  /** soon ends when it is decided. */
  soon(): Promise<void>;
  /** fallback loads what was requested before anything was decided. */
  fallback(): HlsLoaderClass;
}

const newStats = () => ({
  aborted: false,
  loaded: 1, // all of it, so that hls.js does not judge the speed of a download that waits
  total: 1,
  retry: 0,
  chunkCount: 0,
  bwEstimate: 0,
  loading: { start: 0, first: 0, end: 0 },
  parsing: { start: 0, end: 0 },
  buffering: { start: 0, first: 0, end: 0 },
});

/**
 * gateLoader returns a fragment loader for hls.js (its option fLoader). It asks for each segment who loads it, so the
 * loader can change while the player plays. The first segments may wait a moment for the settings.
 */
export function gateLoader(keeper: Gatekeeper): HlsLoaderClass {
  return class GateLoader implements HlsLoader {
    context: any = null;
    stats: any = newStats();
    private inner: HlsLoader | undefined;
    private ended = false;
    private callbacks: any;

    constructor(private readonly config: any) {}

    load(context: any, config: any, callbacks: any): void {
      this.context = context;
      this.callbacks = callbacks;
      const start = (Loader: HlsLoaderClass) => {
        const inner = (this.inner = new Loader(this.config));
        // hls.js has taken this object as the segment's figures, so the inner loader fills it.
        inner.stats = Object.assign(this.stats, inner.stats, { retry: this.stats.retry });
        inner.load(context, config, callbacks);
      };
      const now = keeper.loader();
      if (now) return start(now);
      this.stats.loading.start = performance.now();
      void keeper.soon().then(() => {
        if (!this.ended) start(keeper.loader() ?? keeper.fallback());
      });
    }

    abort(): void {
      if (this.inner) return this.inner.abort();
      if (this.ended) return;
      this.ended = this.stats.aborted = true;
      this.callbacks?.onAbort?.(this.stats, this.context, null);
    }

    destroy(): void {
      this.ended = true;
      this.callbacks = null;
      this.inner?.destroy();
    }

    getCacheAge(): number | null {
      return this.inner?.getCacheAge?.() ?? null;
    }

    getResponseHeader(name: string): string | null {
      return this.inner?.getResponseHeader?.(name) ?? null;
    }
  };
}

/** atMost waits for something, but only so long. */
export const atMost = (ms: number, wait: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, ms));
    void wait.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
