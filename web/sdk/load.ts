import type { HlsEngineClass, ShakaEngineClass } from "./players.js";

// Players and engines that the entrance serves. They are loaded when they are needed, and again after a failure: a
// browser remembers a module that failed by its URL.
const attempts = new Map<string, number>();

/** Modules are files of the entrance that a page has under other URLs, by their paths. */
export type Modules = Record<string, () => Promise<any>>;

/** module imports a file of the entrance. */
export async function module(base: URL, path: string, own?: Modules): Promise<any> {
  const url = new URL(path, base);
  const attempt = attempts.get(url.href);
  if (attempt) url.searchParams.set("retry", String(attempt));
  try {
    if (!attempt && own?.[path]) return await own[path]();
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ url.href);
  } catch (error) {
    attempts.set(new URL(path, base).href, (attempt ?? 0) + 1);
    throw error;
  }
}

/** ahead loads now what is needed soon. Who asks again after that failed makes it load again. */
export function ahead<T>(load: () => Promise<T>): () => Promise<T> {
  let first: Promise<T> | undefined = load();
  first.catch(() => {}); // who asks for it hears of it
  return () => {
    const given = first ?? load();
    first = undefined;
    return given;
  };
}

/** hlsEngine loads the engine for hls.js. */
export const hlsEngine = async (base: URL, own?: Modules): Promise<HlsEngineClass> => (await module(base, "vendor/engine-hlsjs.mjs", own)).HlsJsP2PEngine;

/** hlsPlayer loads hls.js. */
export const hlsPlayer = async (base: URL, own?: Modules): Promise<any> => (await module(base, "vendor/hls.min.mjs", own)).default;

/** shakaEngine loads the engine for Shaka Player. */
export const shakaEngine = async (base: URL, own?: Modules): Promise<ShakaEngineClass> => (await module(base, "vendor/engine-shaka.mjs", own)).ShakaP2PEngine;

/** shakaPlayer loads Shaka Player, which is not put into the page's global scope. */
export const shakaPlayer = async (base: URL, own?: Modules): Promise<any> => (await module(base, "vendor/player-shaka.mjs", own)).default;
