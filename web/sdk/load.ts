import type { HlsEngineClass, ShakaEngineClass } from "./players.js";

// Players and engines that the entrance serves. They are loaded when they are needed, and again after a failure: a
// browser remembers a module that failed by its URL.
const attempts = new Map<string, number>();

/** module imports a file of the entrance. */
export async function module(base: URL, path: string): Promise<any> {
  const url = new URL(path, base);
  const attempt = attempts.get(url.href);
  if (attempt) url.searchParams.set("retry", String(attempt));
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ url.href);
  } catch (error) {
    attempts.set(new URL(path, base).href, (attempt ?? 0) + 1);
    throw error;
  }
}

/** hlsEngine loads the engine for hls.js. */
export const hlsEngine = async (base: URL): Promise<HlsEngineClass> => (await module(base, "vendor/engine-hlsjs.mjs")).HlsJsP2PEngine;

/** hlsPlayer loads hls.js. */
export const hlsPlayer = async (base: URL): Promise<any> => (await module(base, "vendor/hls.min.mjs")).default;

/** shakaEngine loads the engine for Shaka Player. */
export const shakaEngine = async (base: URL): Promise<ShakaEngineClass> => (await module(base, "vendor/engine-shaka.mjs")).ShakaP2PEngine;

/** shakaPlayer loads Shaka Player, which is not put into the page's global scope. */
export const shakaPlayer = async (base: URL): Promise<any> => (await module(base, "vendor/player-shaka.mjs")).default;
