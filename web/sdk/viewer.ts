import { checker } from "../src/check.js";
import { attach as attachReports, type Reports } from "../src/p2pstream.js";
import { reporter } from "../src/report.js";
import { type Adapter, EngineError } from "./adapter.js";
import { backoff, ConfigError, fetchConfig, messageOf, pause, type Token, type ViewerConfig } from "./config.js";
import type { Engine } from "./players.js";
import { type Mode, type Reason, type State, stateOf } from "./state.js";

/** Media bytes since the page joined. */
export interface Counters {
  /** From the origin. */
  http: number;
  /** From seeders. */
  seeder: number;
  /** From other viewers. */
  viewer: number;
  /** Received and not used. */
  discarded: number;
  /** Sent to other viewers. */
  uploaded: number;
}

const parts = { check: { checker }, report: { reporter } };
const none: Counters = Object.freeze({ http: 0, seeder: 0, viewer: 0, discarded: 0, uploaded: 0 });
const trackerPatienceMs = 15_000; // without tracker and peers, until new settings are asked for

export const hasWebRTC = (): boolean => typeof globalThis.RTCPeerConnection == "function";

/** Viewer is one player on one page: it fetches the settings, joins the swarms, reports, and says what happens. */
export class Viewer {
  private current: State = stateOf("starting");
  private readonly listeners = new Set<(state: State) => void>();
  private readonly ending = new AbortController();
  private adapter: Adapter | undefined;
  /** player is what play has made: an instance of hls.js or of Shaka Player. A page's menus can use it. */
  player: any;
  /** @internal */
  reports: Reports | undefined;
  /** @internal The last settings, and why there are none yet. */
  config: ViewerConfig | undefined;
  /** @internal */
  trouble: Reason | undefined;
  private engineOf: Engine | undefined;
  private readonly peers = new Set<string>();
  private readonly heard = new WeakSet<Engine>();
  private trackerTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly began = performance.now();
  private firstFrameMs = 0;
  private watchedMedia: HTMLMediaElement | null = null;
  private cleanups: (() => void)[] = [];

  /** Made by attach and play. */
  constructor(
    private readonly base: URL,
    private readonly token: Token | undefined,
    private readonly video: HTMLVideoElement | undefined,
  ) {}

  /** state says how the page plays now. */
  get state(): State {
    return this.current;
  }

  /** counters are the media bytes by source since the page joined. */
  get counters(): Readonly<Counters> {
    return this.reports?.counters ?? none;
  }

  /** peerCount is how many connections to peers there are. */
  get peerCount(): number {
    return this.peers.size;
  }

  /** engine is the engine of p2p-media-loader that is in use. It changes when the page joins anew. */
  get engine(): Engine | undefined {
    return this.engineOf;
  }

  /**
   * on calls the listener with the present state and with every later one. The returned function ends that.
   *
   * @example viewer.on("state", ({ mode, message }) => console.log(mode, message));
   */
  on(_event: "state", listener: (state: State) => void): () => void {
    this.listeners.add(listener);
    this.call(listener);
    return () => this.listeners.delete(listener);
  }

  /** stop leaves the swarms and ends the reports. A player that the page made plays on over HTTP. */
  stop(): void {
    if (this.ending.signal.aborted) return;
    this.ending.abort();
    clearTimeout(this.trackerTimer);
    this.disconnect();
    this.adapter?.release();
    for (const end of this.cleanups) end();
    this.say("stopped");
    this.listeners.clear();
  }

  /** @internal */
  get stopped(): boolean {
    return this.ending.signal.aborted;
  }

  /** @internal */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  /** @internal */
  onStop(end: () => void): void {
    if (this.stopped) end();
    else this.cleanups.push(end);
  }

  /** @internal */
  say(mode: Mode, reason?: Reason, detail?: string): void {
    const { autoplayRefused } = this.current;
    const next = stateOf(mode, reason, detail);
    if (next.mode == this.current.mode && next.reason == this.current.reason && next.detail == this.current.detail) return;
    this.change(autoplayRefused ? Object.freeze({ ...next, autoplayRefused }) : next);
  }

  /** @internal */
  sayAutoplay(refused: boolean): void {
    if (!!this.current.autoplayRefused == refused) return;
    this.change(Object.freeze({ ...this.current, autoplayRefused: refused || undefined }));
  }

  private change(state: State): void {
    this.current = state;
    for (const listener of this.listeners) this.call(listener);
  }

  private call(listener: (state: State) => void): void {
    try {
      listener(this.current);
    } catch (error) {
      console.error(error); // a listener's mistake must not end playback
    }
  }

  /**
   * follow joins with the adapter's player, now with the given settings or as soon as the tracker hands some out.
   *
   * @internal
   */
  async follow(adapter: Adapter, config?: ViewerConfig | Promise<ViewerConfig | undefined>): Promise<void> {
    this.adapter = adapter;
    this.watch(adapter.media() ?? this.video ?? null);
    if (!hasWebRTC()) return this.plain("no-webrtc");
    await this.connect(config);
  }

  /**
   * settings asks for settings until there are some; undefined once the viewer has stopped. onFailure hears why not yet.
   *
   * @internal
   */
  async settings(onFailure: (error: ConfigError) => void): Promise<ViewerConfig | undefined> {
    for (let attempt = 1; !this.stopped; attempt++) {
      try {
        this.config = await fetchConfig(this.base, this.token, this.ending.signal);
        this.trouble = undefined;
        return this.config;
      } catch (error) {
        if (this.stopped) return undefined;
        const failure = error instanceof ConfigError ? error : new ConfigError("config-unreachable", messageOf(error));
        this.trouble = failure.reason;
        onFailure(failure);
        await pause(backoff(attempt), this.ending.signal);
      }
    }
    return undefined;
  }

  private plain(reason: Reason, detail?: string): void {
    this.adapter?.decided();
    if (this.current.mode != "p2p") this.say("http", reason, detail);
  }

  private async connect(known?: ViewerConfig | Promise<ViewerConfig | undefined>, attempt = 1): Promise<void> {
    const config = await (known ?? this.settings((error) => this.plain(error.reason, error.message)));
    if (!config || this.stopped) return;
    if (config.settings.core.isP2PDisabled) return this.plain("p2p-off", config.p2pOff);
    try {
      this.disconnect();
      await this.adapter!.join(config, (engine) => this.listen(engine, config));
      if (this.stopped) return this.adapter!.release();
      if (!this.peers.size) this.say("http", "joining");
    } catch (error) {
      this.disconnect();
      const reason = error instanceof EngineError ? error.reason : "engine-unknown";
      this.plain(reason, messageOf(error));
      if (reason != "engine-blocked") return;
      await pause(backoff(attempt), this.signal);
      if (!this.stopped) await this.connect(undefined, attempt + 1);
    }
  }

  private disconnect(): void {
    this.reports?.stop();
    this.reports = undefined;
    this.engineOf = undefined;
    this.peers.clear();
  }

  private listen(engine: Engine, config: ViewerConfig): void {
    this.engineOf = engine;
    if (!this.heard.has(engine)) this.hear(engine);
    const video = this.adapter!.media() ?? this.video;
    this.reports = attachReports(engine, config, video as HTMLVideoElement | undefined, {
      part: (name) => Promise.resolve(parts[name]),
      firstFrameMs: this.firstFrameMs,
      asked: this.began,
    });
  }

  private hear(engine: Engine): void {
    this.heard.add(engine);
    const mine = () => this.engineOf == engine && !this.stopped;
    engine.addEventListener("onPeerConnect", ({ streamType, peerId }) => {
      if (!mine()) return;
      this.peers.add(streamType + peerId);
      clearTimeout(this.trackerTimer);
      this.trackerTimer = undefined;
      this.say("p2p");
    });
    engine.addEventListener("onPeerClose", ({ streamType, peerId }) => {
      if (mine() && this.peers.delete(streamType + peerId) && !this.peers.size) this.say("http", "joining");
    });
    const trouble = ({ error, warning }: { error?: unknown; warning?: unknown }) => {
      if (!mine() || this.peers.size) return;
      this.say("http", "tracker-unreachable", messageOf(error ?? warning ?? ""));
      // The library tries again with the ticket that it has. A tracker that was replaced may want another one.
      this.trackerTimer ??= setTimeout(() => {
        this.trackerTimer = undefined;
        if (mine() && !this.peers.size) void this.renew();
      }, trackerPatienceMs);
    };
    engine.addEventListener("onTrackerError", trouble);
    engine.addEventListener("onTrackerWarning", trouble);
  }

  /** renew joins with a new ticket. */
  private async renew(): Promise<void> {
    const engine = this.engineOf;
    const config = await this.settings(() => {});
    if (config && this.engineOf == engine && !this.peers.size) await this.connect(config);
  }

  /**
   * watch notes when the first frame is shown, in the element that the page plays in.
   *
   * @internal
   */
  watch(media: HTMLMediaElement | null): void {
    if (!media || this.watchedMedia) return;
    this.watchedMedia = media;
    const playing = () => {
      this.firstFrameMs ||= Math.round(performance.now() - this.began) || 1;
      this.sayAutoplay(false);
      if (this.current.mode != "failed") return;
      if (this.peers.size) this.say("p2p");
      else this.say("http", "joining");
    };
    media.addEventListener("playing", playing);
    this.onStop(() => media.removeEventListener("playing", playing));
  }
}
