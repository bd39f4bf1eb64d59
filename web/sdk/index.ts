/**
 * The viewer SDK of p2pstream: a page's player joins the peers of its stream.
 *
 * @packageDocumentation
 */
export { attach, type AttachOptions } from "./attach.js";
export type { Token, ViewerConfig } from "./config.js";
export { play, type PlayOptions } from "./play.js";
export type { Engine, HlsEngine, HlsEngineClass, HlsPlayer, ShakaEngine, ShakaEngineClass, ShakaPlayer } from "./players.js";
export { playIn, stateEvent } from "./script.js";
export type { Mode, Reason, State } from "./state.js";
export type { Counters, Viewer } from "./viewer.js";
