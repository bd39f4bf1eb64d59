// The public interfaces of hls.js, Shaka Player and the engines of p2p-media-loader, as far as the SDK uses them.

type Handler = (...values: any[]) => void;

class Emitter {
  handlers = new Map<string, Set<Handler>>();
  on(name: string, handler: Handler): void {
    this.handlers.set(name, (this.handlers.get(name) ?? new Set()).add(handler));
  }
  off(name: string, handler: Handler): void {
    this.handlers.get(name)?.delete(handler);
  }
  emit(name: string, ...values: unknown[]): void {
    for (const handler of [...(this.handlers.get(name) ?? [])]) handler(...values);
  }
  count(): number {
    return [...this.handlers.values()].reduce((sum, set) => sum + set.size, 0);
  }
}

export const loads: { by: string; url: string }[] = [];

const loader = (by: string) =>
  class {
    context: any;
    stats: any = { aborted: false, loaded: 0, total: 0, retry: 0, loading: { start: 0, first: 0, end: 0 } };
    aborted = false;
    destroyed = false;
    load(context: any, _: any, callbacks: any): void {
      this.context = context;
      loads.push({ by, url: context.url });
      this.stats.loaded = this.stats.total = 7;
      callbacks.onSuccess?.({ data: by }, this.stats, context, null);
    }
    abort(): void {
      this.aborted = true;
    }
    destroy(): void {
      this.destroyed = true;
    }
  };

/** Hls is a player of hls.js. */
export class Hls extends Emitter {
  static instances: Hls[] = [];
  config: any;
  media: any = null;
  levels: unknown[] = [];
  source = "";
  calls: string[] = [];
  destroyed = false;
  constructor(readonly userConfig: any = {}) {
    super();
    this.config = { loader: loader("http"), fLoader: undefined, pLoader: undefined, maxBufferLength: 30, liveSyncDurationCount: 3, ...userConfig };
    Hls.instances.push(this);
  }
  loadSource(url: string): void {
    this.source = url;
    this.emit("hlsManifestLoading", "hlsManifestLoading", { url });
    this.calls.push("loadSource");
  }
  attachMedia(media: unknown): void {
    this.media = media;
    this.emit("hlsMediaAttached", "hlsMediaAttached", { media });
  }
  recoverMediaError(): void {
    this.calls.push("recoverMediaError");
  }
  startLoad(): void {
    this.calls.push("startLoad");
  }
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("hlsDestroying", "hlsDestroying");
  }
  /** manifest is what hls.js says once it has read a stream with one rendition. */
  manifest(url = "https://origin.test/live/720p.m3u8"): void {
    this.levels = [{}];
    this.emit("hlsManifestLoaded", "hlsManifestLoaded", { levels: [{ url, bitrate: 1e6 }], audioTracks: [], networkDetails: null });
    this.emit("hlsLevelUpdated", "hlsLevelUpdated", { details: { url, live: true, fragments: [] } });
  }
  /** segment loads one, and returns who did it. */
  segment(url = "https://origin.test/1.ts", frag?: { sn: number | "initSegment"; type: string }): Promise<string> {
    return new Promise((resolve, reject) => {
      const one = new this.config.fLoader(this.config);
      one.load({ url, frag }, {}, { onSuccess: ({ data }: { data: string }) => resolve(data), onError: reject });
    });
  }
}

export class Engine extends Emitter {
  static instances: Engine[] = [];
  destroyed = false;
  heard: string[] = [];
  dynamic: any[] = [];
  constructor(readonly config: any = {}) {
    super();
    Engine.instances.push(this);
  }
  addEventListener(name: string, handler: Handler): void {
    this.on(name, handler);
  }
  removeEventListener(name: string, handler: Handler): void {
    this.off(name, handler);
  }
  applyDynamicConfig(config: any): void {
    this.dynamic.push(config.core);
  }
  getConfig(): { core: any } {
    return { core: { mainStream: this.config.core ?? {}, secondaryStream: this.config.core ?? {} } };
  }
  destroy(): void {
    this.destroyed = true;
  }
}

/** HlsEngine listens to its player when the first playlist loader is made, as HlsJsP2PEngine does. */
export class HlsEngine extends Engine {
  private player: (() => any) | undefined;
  bound: any;
  bindHls(hls: any): void {
    this.player = typeof hls == "function" ? hls : () => hls;
  }
  getConfigForHlsJs(): { fLoader: any; pLoader: any } {
    const listen = () => {
      const player = this.player!();
      if (this.bound == player) return;
      this.bound = player;
      for (const name of ["hlsManifestLoaded", "hlsLevelUpdated"]) player.on(name, (event: string) => this.heard.push(event));
    };
    return {
      fLoader: loader("engine"),
      pLoader: class {
        constructor() {
          listen();
        }
      },
    };
  }
}

/** DeafEngine is of another version, which never listens. */
export class DeafEngine extends HlsEngine {
  override bindHls(): void {}
  override getConfigForHlsJs(): { fLoader: any; pLoader: any } {
    return { fLoader: loader("engine"), pLoader: class {} };
  }
}

export class Shaka extends Emitter {
  static instances: Shaka[] = [];
  static supported = true;
  static isBrowserSupported(): boolean {
    return Shaka.supported;
  }
  sources: [source: string, at: number | undefined][] = [];
  /** What the next loads fail with. */
  failures: object[] = [];
  live = false;
  destroyed = false;
  constructor() {
    super();
    Shaka.instances.push(this);
  }
  async attach(media: unknown): Promise<void> {
    this.media = media;
  }
  async load(source: string, at?: number): Promise<void> {
    this.sources.push([source, at]);
    const failure = this.failures.shift();
    if (failure) throw failure;
  }
  isLive(): boolean {
    return this.live;
  }
  async destroy(): Promise<void> {
    this.destroyed = true;
  }
  configured: any[] = [];
  filters = new Set<(type: number) => unknown>();
  media: any = null;
  configure(config: any): void {
    this.configured.push(config);
  }
  getMediaElement(): any {
    return this.media;
  }
  getNetworkingEngine(): any {
    return {
      registerRequestFilter: (filter: (type: number) => unknown) => this.filters.add(filter),
      unregisterRequestFilter: (filter: (type: number) => unknown) => this.filters.delete(filter),
    };
  }
  addEventListener(name: string, handler: Handler): void {
    this.on(name, handler);
  }
  removeEventListener(name: string, handler: Handler): void {
    this.off(name, handler);
  }
  /** request ends when all filters let a request pass. */
  async request(type: number): Promise<void> {
    for (const filter of this.filters) await filter(type);
  }
}

export const shaka = { Player: Shaka, net: { NetworkingEngine: { RequestType: { MANIFEST: 0, SEGMENT: 1 } } } };

export class ShakaEngine extends Engine {
  static registered = 0;
  player: any;
  core: any;
  constructor(config: any = {}, readonly namespace?: unknown) {
    super(config);
    this.core = { mainStreamConfig: { ...config.core }, secondaryStreamConfig: { ...config.core } };
  }
  static registerPlugins(): void {
    ShakaEngine.registered++;
  }
  bindShakaPlayer(player: unknown): void {
    this.player = player;
  }
  override getConfig(): { core: any } {
    return { core: { mainStream: { ...this.core?.mainStreamConfig }, secondaryStream: { ...this.core?.secondaryStreamConfig } } };
  }
}

/** SealedShakaEngine is of another version, whose inner objects have other names. */
export class SealedShakaEngine extends ShakaEngine {
  override getConfig(): { core: any } {
    return { core: { mainStream: this.config.core, secondaryStream: this.config.core } };
  }
}
