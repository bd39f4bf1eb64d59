// The public interfaces of players and engines, as far as they are used here. They are written down, not imported, so
// that a page needs the types of its own player only.

type Listener = (...values: any[]) => void;

/** A segment or playlist loader of hls.js (its Loader). */
export interface HlsLoader {
  context: any;
  stats: any;
  load(context: any, config: any, callbacks: any): void;
  abort(): void;
  destroy(): void;
  getCacheAge?(): number | null;
  getResponseHeader?(name: string): string | null;
}
export type HlsLoaderClass = new (config: any) => HlsLoader;

/** An instance of hls.js 1.x. */
export interface HlsPlayer {
  readonly config: any;
  readonly userConfig: any;
  readonly media: HTMLMediaElement | null;
  on(event: any, listener: any, context?: any): void;
  off(event: any, listener?: any, context?: any): void;
}

/** The events and settings that the engines of all players have. */
export interface Engine {
  addEventListener(name: any, listener: Listener): void;
  removeEventListener(name: any, listener: Listener): void;
  applyDynamicConfig(config: any): void;
  getConfig(): { core: any };
  destroy(): void;
}

/** HlsJsP2PEngine of p2p-media-loader-hlsjs 2.x. */
export interface HlsEngine extends Engine {
  bindHls(hls: any): void;
  getConfigForHlsJs(): { fLoader: any; pLoader: any };
}
export type HlsEngineClass = new (config?: any) => HlsEngine;

/** An instance of Shaka Player 4.x. */
export interface ShakaPlayer {
  configure(config: any, value?: any): any;
  getMediaElement(): HTMLMediaElement | null;
  getNetworkingEngine(): any;
  addEventListener(name: string, listener: any): void;
  removeEventListener(name: string, listener: any): void;
}

/** ShakaP2PEngine of p2p-media-loader-shaka 2.x. */
export interface ShakaEngine extends Engine {
  bindShakaPlayer(player: any): void;
}
export interface ShakaEngineClass {
  new (config?: any, shaka?: any): ShakaEngine;
  registerPlugins(shaka?: any): void;
}

export const isShaka = (player: object): player is ShakaPlayer => "getNetworkingEngine" in player;
