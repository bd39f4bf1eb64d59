/**
 * How a page plays.
 *
 * - `starting`: the player or the settings are still on their way
 * - `http`: it plays, or can play, from the origin alone
 * - `p2p`: it is connected to at least one peer
 * - `failed`: it cannot play
 * - `stopped`: stop() was called, or the player was destroyed
 */
export type Mode = "starting" | "http" | "p2p" | "failed" | "stopped";

/** Why a page is in its mode. */
export type Reason =
  | "joining"
  | "config-unreachable"
  | "config-refused"
  | "config-invalid"
  | "p2p-off"
  | "no-webrtc"
  | "no-mse"
  | "engine-blocked"
  | "player-blocked"
  | "engine-unknown"
  | "tracker-unreachable"
  | "no-source"
  | "no-video"
  | "unplayable";

/** What a page can show or log. A state never changes; a change is a new one. */
export interface State {
  readonly mode: Mode;
  readonly reason?: Reason;
  /** One sentence: what happened and, if something is to be done, what. */
  readonly message: string;
  /** What the browser, the player or the tracker said about it. */
  readonly detail?: string;
  /** The browser refused to start playback without a gesture of the user. */
  readonly autoplayRefused?: boolean;
}

const messages: Record<Mode | Reason, string> = {
  starting: "Loading settings and player.",
  http: "Playing from the origin.",
  p2p: "Playing with peers.",
  failed: "Playback failed.",
  stopped: "Stopped.",
  joining: "Playing from the origin and looking for peers.",
  "config-unreachable": "Playing from the origin: the settings could not be fetched. They are asked for again.",
  "config-refused": "Playing from the origin: the tracker refused this page. Check allowedOrigins and the viewer token.",
  "config-invalid": "Playing from the origin: url answers with no viewer configuration. Check it.",
  "p2p-off": "Playing from the origin: peers are off for this viewer.",
  "no-webrtc": "Playing from the origin: this browser has no WebRTC.",
  "no-mse": "Playing from the origin: this browser has no Media Source Extensions.",
  "engine-blocked":
    "Playing from the origin: the peer-to-peer engine could not be loaded. Allow the entrance in script-src, or pass engine.",
  "player-blocked": "The player could not be loaded. Allow the entrance in script-src, or pass one.",
  "engine-unknown": "Playing from the origin: this version of p2p-media-loader is not supported. See docs/sdk.md.",
  "tracker-unreachable": "Playing from the origin: the tracker does not answer. The page joins when it does.",
  "no-source": "Nothing to play: the settings could not be fetched. Pass source to play without them.",
  "no-video": "No video element to play in.",
  unplayable: "The stream could not be played.",
};

export const stateOf = (mode: Mode, reason?: Reason, detail?: string): State =>
  Object.freeze({ mode, reason, message: messages[reason ?? mode], detail: detail?.slice(0, 500) });
