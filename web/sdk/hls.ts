import { type Adapter, EngineError } from "./adapter.js";
import { messageOf, type ViewerConfig } from "./config.js";
import { atMost, decision, gateLoader } from "./gate.js";
import type { Engine, HlsEngine, HlsEngineClass, HlsLoaderClass, HlsPlayer } from "./players.js";

const maxPlaylists = 64; // that are remembered of one stream
const pictureMs = 300; // that second segments wait for a first picture at most

/**
 * HlsAdapter connects hls.js to peers while it plays. It keeps to public interfaces: the option fLoader of hls.js is read
 * for each segment, and the engine's bindHls takes any object with the methods of a player. So a new engine is told at any
 * time what hls.js has loaded before.
 */
export class HlsAdapter implements Adapter {
  private readonly own: { fLoader: any; pLoader: any }; // what the page had
  private engine: HlsEngine | undefined;
  private engineLoader: HlsLoaderClass | undefined;
  private readonly decision: ReturnType<typeof decision>;
  private forget: () => void;
  private handlers = new Map<string, Set<(name: string, data: unknown) => void>>(); // of the engine, by event
  private manifest: unknown;
  private quality: unknown; // that hls.js has switched to last
  private readonly firsts = new Map<string | undefined, number>(); // the first segments, by their type
  private readonly playlists = new Map<string, [event: string, data: unknown]>();

  constructor(
    private readonly hls: HlsPlayer,
    private readonly loadEngine: () => HlsEngineClass | Promise<HlsEngineClass>,
    patienceMs: number,
    onDestroyed: () => void,
  ) {
    const { config } = hls;
    this.decision = decision(patienceMs);
    this.own = { fLoader: config.fLoader, pLoader: config.pLoader };
    const engine = (hls as { p2pEngine?: HlsEngine }).p2pEngine;
    if (engine) {
      // A player made with injectMixin has an engine, whose trackers cannot be changed. Ours takes its place.
      this.own = { fLoader: undefined, pLoader: undefined };
      engine.destroy();
    }
    config.pLoader = this.own.pLoader;
    config.fLoader = gateLoader({ wait: (segment) => this.turn(segment), loader: () => this.engineLoader ?? this.own.fLoader ?? hls.config.loader });
    const remember: Record<string, (name: string, data: any) => void> = {
      hlsManifestLoading: () => {
        this.manifest = this.quality = undefined;
        this.playlists.clear();
        this.firsts.clear();
      },
      hlsManifestLoaded: (_, data) => {
        // The identity of a rendition is made of these values, and hls.js may change them later.
        const copy = (list: object[] = []) => list.map((entry) => ({ ...entry }));
        this.manifest = { ...data, levels: copy(data.levels), audioTracks: copy(data.audioTracks) };
      },
      hlsLevelSwitching: (_, data) => {
        this.quality = data;
      },
      hlsLevelUpdated: (name, data) => this.rememberPlaylist(name, data),
      hlsAudioTrackLoaded: (name, data) => this.rememberPlaylist(name, data),
      hlsMediaAttached: () => {
        this.firsts.clear();
        this.replay(); // the engine forgets the stream when media is attached anew
      },
      hlsDestroying: onDestroyed,
    };
    for (const name in remember) hls.on(name, remember[name]);
    this.forget = () => {
      for (const name in remember) hls.off(name, remember[name]);
    };
  }

  media(): HTMLMediaElement | null {
    return this.hls.media;
  }

  async join({ settings }: ViewerConfig, prepare: (engine: Engine) => void): Promise<void> {
    const Engine = await this.loadEngine();
    this.leave();
    const { hls } = this;
    const playerSettings = settings.hlsjs ?? {};
    const early = !this.manifest;
    for (const [name, value] of Object.entries(playerSettings)) {
      // What the page has set itself stays. The distance to the live edge stays while the stream plays.
      if (!(name in hls.userConfig) && (early || !name.startsWith("live"))) hls.config[name] = value;
    }
    let engine: HlsEngine;
    let loaders: { fLoader: any; pLoader: any };
    try {
      engine = new Engine({ core: settings.core });
      engine.bindHls(() => facade);
      loaders = engine.getConfigForHlsJs();
    } catch (error) {
      throw new EngineError("engine-unknown", messageOf(error));
    }
    const handlers = (this.handlers = new Map<string, Set<(name: string, data: unknown) => void>>());
    const facade = {
      on(name: string, handler: (name: string, data: unknown) => void) {
        handlers.set(name, (handlers.get(name) ?? new Set()).add(handler));
        hls.on(name, handler);
      },
      off(name: string, handler: (name: string, data: unknown) => void) {
        handlers.get(name)?.delete(handler);
        hls.off(name, handler);
      },
      get media() {
        return hls.media;
      },
      config: hls.config,
      // The engine changes settings that the user has not set: those of the tracker count as set.
      userConfig: { ...playerSettings, ...hls.userConfig },
    };
    prepare(engine);
    this.engine = engine;
    new loaders.pLoader(hls.config); // the engine starts to listen when a playlist loader is made
    if (!handlers.has("hlsManifestLoaded")) {
      this.leave();
      throw new EngineError("engine-unknown", "the engine does not listen to the player");
    }
    this.replay();
    this.engineLoader = loaders.fLoader;
    this.decided();
  }

  decided(): void {
    this.decision.make();
  }

  leave(): void {
    this.engineLoader = undefined;
    this.engine?.destroy();
    this.engine = undefined;
    this.handlers.clear();
  }

  release(): void {
    this.decided();
    this.leave();
    this.forget();
    Object.assign(this.hls.config, this.own);
  }

  /**
   * turn is when a segment may be loaded. It lets the first picture go before the second segment: that is of another quality, as a rule, so the page makes new
   * connections for it, which keeps a slow one busy for as long as all else before the first picture.
   */
  private turn({ sn, type }: { sn?: unknown; type?: string } = {}): Promise<void> | undefined {
    const { media } = this.hls;
    if (!this.firsts.has(type) && typeof sn == "number") this.firsts.set(type, sn); // what is none is a header, and comes with its segment
    const settled = this.decision.wait();
    if (settled || !this.engineLoader || typeof sn != "number" || this.firsts.get(type) == sn || !media || media.readyState > 1) return settled;
    return atMost(pictureMs, new Promise((resolve) => media.addEventListener("loadeddata", resolve, { once: true })));
  }

  private rememberPlaylist(name: string, data: any): void {
    const url = String(data?.details?.url);
    this.playlists.delete(url);
    this.playlists.set(url, [name, data]);
    if (this.playlists.size > maxPlaylists) this.playlists.delete(this.playlists.keys().next().value!);
  }

  /** replay tells the engine what was loaded before. To hear a part of it twice changes nothing. */
  private replay(): void {
    if (!this.engine || !this.manifest) return;
    const tell = (name: string, data: unknown) => this.handlers.get(name)?.forEach((handler) => handler(name, data));
    tell("hlsManifestLoaded", this.manifest);
    if (this.quality) tell("hlsLevelSwitching", this.quality);
    for (const [name, data] of this.playlists.values()) tell(name, data);
  }
}
