import { type Adapter, EngineError } from "./adapter.js";
import { defaultPatienceMs, engineLoader } from "./attach.js";
import { baseURL, messageOf, type Token, type ViewerConfig } from "./config.js";
import { shakaKit, type ShakaKit, ShakaPlayback } from "./dash.js";
import { atMost } from "./gate.js";
import { HlsAdapter } from "./hls.js";
import { hlsPlayer, type Modules } from "./load.js";
import type { HlsEngineClass, HlsPlayer, ShakaEngineClass } from "./players.js";
import { Viewer } from "./viewer.js";

/** What play needs to know. */
export interface PlayOptions {
  /** URL of the stream on the entrance, such as https://entrance.example.com/NAMESPACE/NAME/. */
  url: string | URL;
  /** Manifest that is played while the entrance does not answer. Without it the page waits for the entrance. */
  source?: string | URL;
  /** HLS or DASH. If absent, the name of the source tells, and else the entrance. It is loaded earlier if it is known. */
  format?: "HLS" | "DASH";
  /** Viewer token, where the stream requires one. */
  token?: Token;
  /** The class Hls of hls.js; if absent, it is loaded from the entrance. */
  hls?: new (config?: any) => any;
  /** HlsJsP2PEngine of p2p-media-loader-hlsjs; if absent, it is loaded from the entrance. */
  engine?: HlsEngineClass;
  /** Options of hls.js, over those of the tracker. */
  hlsConfig?: object;
  /** The namespace of Shaka Player, for DASH; if absent, it is loaded from the entrance. */
  shaka?: unknown;
  /** ShakaP2PEngine of p2p-media-loader-shaka; if absent, it is loaded from the entrance. */
  shakaEngine?: ShakaEngineClass;
  /** Options of Shaka Player, over those of the tracker. */
  shakaConfig?: object;
  /** Whether playback starts by itself (the element's own attribute). */
  autoplay?: boolean;
  /** How long playback waits for settings where there is a source, in milliseconds (400). */
  patienceMs?: number;
  /** @internal */
  modules?: Modules;
}

const mediaTypes = { HLS: "application/vnd.apple.mpegurl", DASH: "application/dash+xml" };
type Format = keyof typeof mediaTypes;
const retryMs = 2000; // after an error that stops the player

/** hasMSE tells whether a page can feed a video itself; iPhones before iOS 17.1 cannot. */
export const hasMSE = (): boolean => "MediaSource" in globalThis || "ManagedMediaSource" in globalThis;

/**
 * play plays a stream in a video element. Player and engine come from the entrance when they are needed.
 *
 * @example
 * const viewer = play(document.querySelector("video"), { url: "https://entrance.example.com/events/town-hall/" });
 * viewer.on("state", ({ message }) => console.log(message));
 */
export function play(video: HTMLVideoElement, options: PlayOptions): Viewer {
  if (!options?.url) throw new TypeError("play: url is missing; give the stream's URL on the entrance");
  if (typeof video?.play != "function") throw new TypeError("play: video is no video element");
  const viewer = new Viewer(baseURL(String(options.url)), options.token, video);
  viewer.watch(video);
  start(viewer, video, options).catch((error: unknown) => viewer.say("failed", "unplayable", messageOf(error)));
  return viewer;
}

const formatOf = (url: string): Format => (/\.mpd($|[?#])/i.test(url) ? "DASH" : "HLS");

/** Kit is a player, not used yet. */
type Kit = { hls: new (config?: any) => any; engine: () => HlsEngineClass | Promise<HlsEngineClass> } | ShakaKit;

async function start(viewer: Viewer, video: HTMLVideoElement, options: PlayOptions): Promise<void> {
  const base = baseURL(String(options.url));
  const patience = options.patienceMs ?? defaultPatienceMs;
  const load = async (format: Format): Promise<Kit> => {
    if (!hasMSE()) throw Error("no Media Source Extensions");
    if (format == "DASH") return shakaKit(base, options.shaka, options.shakaEngine, options.modules);
    return { engine: engineLoader(options.engine, base, options.modules), hls: options.hls ?? (await hlsPlayer(base, options.modules)) };
  };
  const early = options.format ?? (options.source ? formatOf(String(options.source)) : undefined);
  let kit = early && load(early);
  kit?.catch(() => {}); // it is looked at below

  let failed!: () => void;
  const failure = new Promise<void>((resolve) => (failed = resolve));
  const settings = viewer.settings((error) => {
    failed();
    if (options.source) viewer.say("http", error.reason, error.message);
    else viewer.say("failed", "no-source", error.message);
  });
  let config: ViewerConfig | undefined;
  const known = settings.then((answer) => void (config = answer));
  await (options.source ? atMost(patience, Promise.race([known, failure])) : known);
  if (viewer.stopped) return;
  const source = config?.streamURL ?? String(options.source);
  const format: Format = config?.format == "DASH" ? "DASH" : config?.format ? "HLS" : early || "HLS";
  if (!kit || format != early) kit = load(format);

  let ready: Kit;
  try {
    ready = await kit;
  } catch (error) {
    if (!viewer.stopped) plain(viewer, video, options, source, format, messageOf(error));
    return;
  }
  if (viewer.stopped) return;
  if ("hls" in ready) {
    const hls: HlsPlayer & Record<string, any> = new ready.hls({ ...config?.settings.hlsjs, ...options.hlsConfig });
    viewer.player = hls;
    viewer.onStop(() => hls.destroy());
    let asked = !video.paused;
    recover(viewer, hls, source, () => (asked = !video.paused));
    hls.on("hlsMediaAttached", () => begin(viewer, video, options, asked));
    const adapter = new HlsAdapter(hls, ready.engine, patience, () => viewer.stop());
    if (!config) adapter.decided(); // it was waited for already, or is away
    void viewer.follow(adapter, config ?? settings);
    hls.loadSource(source);
    hls.attachMedia(video);
    return;
  }
  const { Player, polyfill } = ready.shaka;
  polyfill?.installAll();
  if (!Player.isBrowserSupported()) return plain(viewer, video, options, source, format, "Shaka Player does not support this browser");
  const playback = new ShakaPlayback(ready, viewer, video);
  await playback.player.attach(video);
  if (viewer.stopped) return;
  viewer.player = playback.player;
  const { shakaConfig } = options;
  let adapter: Adapter | undefined;
  try {
    adapter = playback.adapter(patience, shakaConfig);
  } catch (error) {
    viewer.say("http", error instanceof EngineError ? error.reason : "engine-unknown", messageOf(error));
  }
  playback.player.configure({ ...config?.settings.shaka }); // after the engine, which has a presentation delay of its own
  if (shakaConfig) playback.player.configure(shakaConfig);
  if (adapter && !config) adapter.decided();
  if (adapter) void viewer.follow(adapter, config ?? settings);
  playback.load(source, retryMs, (asked) => begin(viewer, video, options, asked));
}

/** plain lets the browser play the stream itself, without peers. */
function plain(viewer: Viewer, video: HTMLVideoElement, options: PlayOptions, source: string, format: Format, detail: string): void {
  const reason = hasMSE() ? "player-blocked" : "no-mse";
  if (!video.canPlayType(mediaTypes[format])) return viewer.say("failed", reason, detail);
  viewer.say("http", reason, detail);
  const failed = () => viewer.say("failed", "unplayable", video.error?.message);
  video.addEventListener("error", failed);
  viewer.onStop(() => video.removeEventListener("error", failed));
  const asked = !video.paused;
  video.src = source;
  begin(viewer, video, options, asked);
}

/**
 * begin starts playback with autoplay, or if it was asked for before the video had a source: with a source, elements are
 * paused again.
 */
function begin(viewer: Viewer, video: HTMLVideoElement, options: PlayOptions, asked: boolean): void {
  if (!(asked || (options.autoplay ?? video.autoplay)) || viewer.stopped) return;
  Promise.resolve(video.play()).catch((error: { name?: string }) => {
    if (error?.name == "NotAllowedError") viewer.sayAutoplay(true);
  });
}

/** recover starts hls.js again after an error that ends it: the origin may be back soon. anew is called before media is attached anew. */
function recover(viewer: Viewer, hls: HlsPlayer & Record<string, any>, source: string, anew: () => void): void {
  hls.on("hlsError", (_: string, data: { fatal?: boolean; type?: string; details?: string }) => {
    if (!data.fatal) return;
    viewer.say("failed", "unplayable", data.details);
    setTimeout(() => {
      if (viewer.stopped) return;
      if (data.type == "mediaError") {
        anew();
        hls.recoverMediaError();
      } else if (hls.levels?.length) hls.startLoad();
      else hls.loadSource(source);
    }, retryMs);
  });
}
