import type { HlsLoader, HlsLoaderClass } from "./players.js";

/** What a gate asks when a segment is to be loaded. */
export interface Gatekeeper {
  /** wait ends when the segment may be loaded; undefined: now. */
  wait(segment?: { sn?: unknown; type?: string }): Promise<void> | undefined;
  /** loader is what loads segments now. */
  loader(): HlsLoaderClass;
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
 * loader can change while the player plays. A segment may have to wait a moment.
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
      const start = () => {
        const inner = (this.inner = new (keeper.loader())(this.config));
        // hls.js has taken this object as the segment's figures, so the inner loader fills it.
        inner.stats = Object.assign(this.stats, inner.stats, { retry: this.stats.retry });
        inner.load(context, config, callbacks);
      };
      const wait = keeper.wait(context.frag);
      if (!wait) return start();
      this.stats.loading.start = performance.now();
      void wait.then(() => {
        if (!this.ended) start();
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

/** decision is waited for until it is made, but only so long from now on. */
export function decision(ms: number): { make(): void; wait(): Promise<void> | undefined } {
  const end = performance.now() + ms;
  let resolve: (() => void) | undefined;
  const made = new Promise<void>((done) => (resolve = done));
  return {
    make() {
      resolve?.();
      resolve = undefined;
    },
    wait() {
      const left = end - performance.now();
      return resolve && left > 0 ? atMost(left, made) : undefined;
    },
  };
}
