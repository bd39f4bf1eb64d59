import { defaultPatienceMs, engineLoader } from "./attach.js";
import { baseURL, messageOf, type Token, type ViewerConfig } from "./config.js";
import { atMost } from "./gate.js";
import { HlsAdapter } from "./hls.js";
import { hlsPlayer } from "./load.js";
import type { HlsEngineClass, HlsPlayer } from "./players.js";
import { Viewer } from "./viewer.js";

/** What play needs to know. */
export interface PlayOptions {
  /** URL of the stream on the entrance, such as https://entrance.example.com/NAMESPACE/NAME/. */
  url: string | URL;
  /** Manifest that is played while the entrance does not answer. Without it the page waits for the entrance. */
  source?: string | URL;
  /** Viewer token, where the stream requires one. */
  token?: Token;
  /** The class Hls of hls.js; if absent, it is loaded from the entrance. */
  hls?: new (config?: any) => any;
  /** HlsJsP2PEngine of p2p-media-loader-hlsjs; if absent, it is loaded from the entrance. */
  engine?: HlsEngineClass;
  /** Options of hls.js, over those of the tracker. */
  hlsConfig?: object;
  /** Whether playback starts by itself (the element's own attribute). */
  autoplay?: boolean;
  /** How long playback waits for settings where there is a source, in milliseconds (400). */
  patienceMs?: number;
}

const hlsType = "application/vnd.apple.mpegurl";
const retryMs = 2000; // after an error that stops hls.js

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

async function start(viewer: Viewer, video: HTMLVideoElement, options: PlayOptions): Promise<void> {
  const base = baseURL(String(options.url));
  const patience = options.patienceMs ?? defaultPatienceMs;
  const player: Promise<any> = hasMSE() ? Promise.resolve(options.hls ?? hlsPlayer(base)) : Promise.reject(Error("no Media Source Extensions"));
  player.catch(() => {}); // it is looked at below

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

  let Hls: any;
  try {
    Hls = await player;
  } catch (error) {
    if (viewer.stopped) return;
    return plain(viewer, video, options, source, messageOf(error));
  }
  if (viewer.stopped) return;
  const hls: HlsPlayer & Record<string, any> = new Hls({ ...config?.settings.hlsjs, ...options.hlsConfig });
  viewer.onStop(() => hls.destroy());
  recover(viewer, hls, source);
  hls.on("hlsMediaAttached", () => begin(viewer, video, options));
  const adapter = new HlsAdapter(hls, engineLoader(hls, base, options.engine), patience, () => viewer.stop());
  if (!config) adapter.decided(); // it was waited for already, or is away
  void viewer.follow(adapter, config ?? settings);
  hls.loadSource(source);
  hls.attachMedia(video);
}

/** plain lets the browser play the stream itself, without peers. */
function plain(viewer: Viewer, video: HTMLVideoElement, options: PlayOptions, source: string, detail: string): void {
  const reason = hasMSE() ? "player-blocked" : "no-mse";
  if (!video.canPlayType(hlsType)) return viewer.say("failed", reason, detail);
  viewer.say("http", reason, detail);
  const failed = () => viewer.say("failed", "unplayable", video.error?.message);
  video.addEventListener("error", failed);
  viewer.onStop(() => video.removeEventListener("error", failed));
  video.src = source;
  begin(viewer, video, options);
}

function begin(viewer: Viewer, video: HTMLVideoElement, options: PlayOptions): void {
  if (!(options.autoplay ?? video.autoplay) || viewer.stopped) return;
  Promise.resolve(video.play()).catch((error: { name?: string }) => {
    if (error?.name == "NotAllowedError") viewer.sayAutoplay(true);
  });
}

/** recover starts hls.js again after an error that ends it: the origin may be back soon. */
function recover(viewer: Viewer, hls: HlsPlayer & Record<string, any>, source: string): void {
  hls.on("hlsError", (_: string, data: { fatal?: boolean; type?: string; details?: string }) => {
    if (!data.fatal) return;
    viewer.say("failed", "unplayable", data.details);
    setTimeout(() => {
      if (viewer.stopped) return;
      if (data.type == "mediaError") hls.recoverMediaError();
      else if (hls.levels?.length) hls.startLoad();
      else hls.loadSource(source);
    }, retryMs);
  });
}
