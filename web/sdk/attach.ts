import { EngineError } from "./adapter.js";
import { baseURL, messageOf, type Token, type ViewerConfig } from "./config.js";
import { HlsAdapter } from "./hls.js";
import { ahead, hlsEngine, type Modules } from "./load.js";
import { type HlsEngineClass, type HlsPlayer, isShaka, type ShakaEngineClass, type ShakaPlayer } from "./players.js";
import { ShakaAdapter } from "./shaka.js";
import { hasWebRTC, Viewer } from "./viewer.js";

/** What attach needs to know. */
export interface AttachOptions {
  /** URL of the stream on the entrance, such as https://entrance.example.com/NAMESPACE/NAME/. */
  url: string | URL;
  /** Viewer token, where the stream requires one. */
  token?: Token;
  /** The engine's class, HlsJsP2PEngine or ShakaP2PEngine. hls.js: if absent, it is loaded from the entrance. */
  engine?: HlsEngineClass | ShakaEngineClass;
  /** The namespace of Shaka Player. Only with Shaka. */
  shaka?: unknown;
  /** The video element, if the player has none yet. */
  video?: HTMLVideoElement;
  /** Settings that the page has fetched already. */
  config?: ViewerConfig;
  /** How long the first segments wait for settings, in milliseconds (400). */
  patienceMs?: number;
}

/** @internal */
export const defaultPatienceMs = 400; // as long as a page may lose at its start

/**
 * attach connects a player that the page has made to the peers of its stream. The player plays in any case: over HTTP
 * until the page has joined, and whenever peers are missing. Call it before the player loads the stream; with hls.js it
 * may be called later too.
 *
 * @example
 * const hls = new Hls();
 * const viewer = attach(hls, { url: "https://entrance.example.com/events/town-hall/" });
 * hls.loadSource(manifest);
 * hls.attachMedia(video);
 */
export function attach(player: HlsPlayer | ShakaPlayer, options: AttachOptions): Viewer {
  if (!options?.url) throw new TypeError("attach: url is missing; give the stream's URL on the entrance");
  const base = baseURL(String(options.url));
  const viewer = new Viewer(base, options.token, options.video);
  const patience = options.patienceMs ?? defaultPatienceMs;
  if (isShaka(player)) {
    if (!options.engine || !options.shaka) throw new TypeError("attach: Shaka Player needs engine (ShakaP2PEngine) and shaka");
    try {
      void viewer.follow(new ShakaAdapter(player, options.engine as ShakaEngineClass, options.shaka, patience), options.config);
    } catch (error) {
      viewer.say("http", "engine-unknown", messageOf(error));
    }
    return viewer;
  }
  if (typeof player?.on != "function" || !player.config) throw new TypeError("attach: player is neither hls.js nor Shaka Player");
  const own = (player as { p2pEngine?: object }).p2pEngine?.constructor;
  const engine = engineLoader((options.engine ?? own) as HlsEngineClass | undefined, base);
  void viewer.follow(new HlsAdapter(player, engine, patience, () => viewer.stop()), options.config);
  return viewer;
}

/**
 * engineLoader returns what gets the engine: the given class, else the one that the entrance serves, which is loaded at once.
 *
 * @internal
 */
export function engineLoader(engine: HlsEngineClass | undefined, base: URL, modules?: Modules): () => HlsEngineClass | Promise<HlsEngineClass> {
  if (engine) return () => engine;
  const load = () =>
    hlsEngine(base, modules).catch((error: unknown) => {
      throw new EngineError("engine-blocked", messageOf(error));
    });
  return hasWebRTC() ? ahead(load) : load;
}
