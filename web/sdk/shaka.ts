import { type Adapter, EngineError } from "./adapter.js";
import { messageOf, type ViewerConfig } from "./config.js";
import { decision } from "./gate.js";
import type { Engine, ShakaEngine, ShakaEngineClass, ShakaPlayer } from "./players.js";

/**
 * ShakaAdapter connects Shaka Player to peers. Its engine sees the stream only while Shaka reads the manifest, so it is
 * bound at once, with P2P off, and gets the tracker's settings later. Three of these have no public setter: see settle.
 */
export class ShakaAdapter implements Adapter {
  private engine: ShakaEngine;
  private joined = false;
  private readonly decision: ReturnType<typeof decision>;
  private readonly wait: (type: number) => Promise<void> | undefined;

  constructor(
    private readonly player: ShakaPlayer,
    private readonly Engine: ShakaEngineClass,
    private readonly shaka: any,
    patienceMs: number,
    private readonly own?: object, // settings that win over those of the tracker
  ) {
    this.engine = this.bind();
    this.decision = decision(patienceMs);
    const segment: unknown = shaka.net?.NetworkingEngine?.RequestType?.SEGMENT;
    this.wait = (type) => (type === segment ? this.decision.wait() : undefined);
    player.getNetworkingEngine()?.registerRequestFilter(this.wait);
  }

  private bind(): ShakaEngine {
    try {
      this.Engine.registerPlugins(this.shaka);
      const engine = new this.Engine({ core: { isP2PDisabled: true, announceTrackers: [], rtcConfig: { iceServers: [] } } }, this.shaka);
      engine.bindShakaPlayer(this.player);
      return engine;
    } catch (error) {
      throw new EngineError("engine-unknown", messageOf(error));
    }
  }

  media(): HTMLMediaElement | null {
    return this.player.getMediaElement();
  }

  async join(config: ViewerConfig, prepare: (engine: Engine) => void): Promise<void> {
    const { core, shaka } = config.settings;
    if (this.joined) this.engine.applyDynamicConfig({ core: { isP2PDisabled: true } });
    settle(this.engine, core);
    if (!this.media()?.currentTime) {
      this.player.configure(shaka ?? {});
      if (this.own) this.player.configure(this.own);
    }
    prepare(this.engine);
    this.joined = true;
    this.engine.applyDynamicConfig({ core: { isP2PDisabled: false, ...core } });
    this.decided();
  }

  decided(): void {
    this.decision.make();
  }

  leave(): void {
    this.engine.applyDynamicConfig({ core: { isP2PDisabled: true } });
  }

  release(): void {
    this.decided();
    this.player.getNetworkingEngine()?.unregisterRequestFilter(this.wait);
    this.engine.destroy();
  }
}

const fixed = ["swarmId", "announceTrackers", "rtcConfig"] as const;

/**
 * settle gives an engine the settings that can be set with its constructor only. It writes them into the objects
 * core.mainStreamConfig and core.secondaryStreamConfig of the engine, which are private, and reads them back through the
 * public getConfig. If they do not arrive there, the engine stays as it is, with P2P off.
 */
export function settle(engine: Engine, core: Record<string, unknown>): void {
  const inner = (engine as { core?: Record<string, any> }).core;
  for (const stream of ["mainStream", "secondaryStream"]) {
    const target = inner?.[`${stream}Config`];
    if (target && typeof target == "object") for (const name of fixed) if (core[name] !== undefined) target[name] = core[name];
    const seen = engine.getConfig().core?.[stream];
    for (const name of fixed) {
      if (core[name] !== undefined && JSON.stringify(seen?.[name]) !== JSON.stringify(core[name])) {
        throw new EngineError("engine-unknown", `${stream}.${name} cannot be set after the engine was made`);
      }
    }
  }
}
