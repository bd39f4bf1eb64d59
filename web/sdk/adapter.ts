import type { ViewerConfig } from "./config.js";
import type { Engine } from "./players.js";

/** A player that a viewer can connect to peers, whatever it has loaded already. */
export interface Adapter {
  /** media is the element that the player plays in, if it has one now. */
  media(): HTMLMediaElement | null;
  /**
   * join makes the player load segments through a new engine with these settings. prepare is called before the engine
   * loads anything. It throws an EngineError if the engine lacks what this needs; the player then plays on over HTTP.
   */
  join(config: ViewerConfig, prepare: (engine: Engine) => void): Promise<void>;
  /** decided ends the wait of the first segments for settings: there are none yet. */
  decided(): void;
  /** leave makes the player load over HTTP again, and ends the engine. */
  leave(): void;
  /** release leaves and gives the player back as it was. */
  release(): void;
}

/** EngineError says why an engine cannot be used. */
export class EngineError extends Error {
  constructor(
    readonly reason: "engine-blocked" | "engine-unknown" | "no-video",
    message: string,
  ) {
    super(message);
  }
}
