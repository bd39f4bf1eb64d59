import { EngineError } from "./adapter.js";
import { messageOf } from "./config.js";
import { type Modules, shakaEngine, shakaPlayer } from "./load.js";
import type { ShakaEngineClass } from "./players.js";
import { ShakaAdapter } from "./shaka.js";
import type { Viewer } from "./viewer.js";

const loadInterrupted = 7000; // shaka.util.Error.Code
const critical = 2; // shaka.util.Error.Severity

/** Shaka Player and its engine. */
export interface ShakaKit {
  shaka: any;
  /** Without it, because it could not be loaded, the player plays alone. */
  engine: ShakaEngineClass | EngineError;
}

/** shakaKit is what the page has, else what the entrance serves. It fails if there is no player. */
export async function shakaKit(base: URL, shaka: unknown, engine: ShakaEngineClass | undefined, modules?: Modules): Promise<ShakaKit> {
  const ready = Promise.resolve(engine ?? shakaEngine(base, modules)).catch((error: unknown) => new EngineError("engine-blocked", messageOf(error)));
  return { shaka: shaka ?? (await shakaPlayer(base, modules)), engine: await ready };
}

/** ShakaPlayback is one stream that Shaka Player plays in a video element. */
export class ShakaPlayback {
  readonly player: any;
  private asked: boolean; // whether playback was asked for when the player took the element

  constructor(
    private readonly kit: ShakaKit,
    private readonly viewer: Viewer,
    private readonly video: HTMLVideoElement,
  ) {
    this.player = new kit.shaka.Player();
    this.asked = !video.paused;
    viewer.onStop(() => void this.player.destroy());
  }

  /** adapter binds the engine, which has to happen before the stream is loaded. It throws an EngineError. */
  adapter(patienceMs: number, own?: object): ShakaAdapter {
    const { engine, shaka } = this.kit;
    if (engine instanceof EngineError) throw engine;
    return new ShakaAdapter(this.player, engine, shaka, patienceMs, own);
  }

  /** load plays the source. A critical error ends Shaka Player, but the origin may be back soon: it starts again. */
  load(source: string, retryMs: number, loaded: (asked: boolean) => void): void {
    const { player, viewer, video } = this;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let at: number | undefined; // where a film goes on; a live stream goes on at its edge
    const failed = (error: { category?: number; code?: number }) => {
      if (viewer.stopped || error.code == loadInterrupted) return;
      viewer.say("failed", "unplayable", error.code ? `Shaka ${error.category}.${error.code}` : messageOf(error));
      clearTimeout(timer);
      timer = setTimeout(load, retryMs);
    };
    const load = () => {
      if (!viewer.stopped) player.load(source, at).then(() => loaded(this.asked), failed);
    };
    player.addEventListener("error", ({ detail }: any) => {
      if (detail.severity != critical) return;
      this.asked = !video.paused;
      at = player.isLive() ? undefined : video.currentTime || at;
      failed(detail);
    });
    load();
  }
}
