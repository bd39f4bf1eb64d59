// Plays MPEG-DASH on the player page, with Shaka Player and p2p-media-loader-shaka.
import "shaka-player";
import { ShakaP2PEngine } from "p2p-media-loader-shaka";
import P2PStream from "../p2pstream.mjs";

const retryMs = 2000;

/** Starts to play. The result has the player, the reporter, and how far behind the live edge it plays, in seconds. */
export async function play(config, video, say) {
  const { shaka } = globalThis; // the bundle is a script
  shaka.polyfill.installAll();
  if (!shaka.Player.isBrowserSupported()) throw new Error("This browser does not support Media Source Extensions, which Shaka Player requires.");
  ShakaP2PEngine.registerPlugins(shaka);
  const engine = new ShakaP2PEngine({ core: config.settings.core }, shaka);
  const player = new shaka.Player();
  await player.attach(video);
  engine.bindShakaPlayer(player);
  player.configure(config.settings.shaka); // after the engine, which has a presentation delay of its own
  const reporter = P2PStream.attach(engine, config, video);

  let loading;
  const load = async () => {
    clearTimeout(loading);
    try {
      await player.load(config.streamURL);
    } catch (error) {
      if (error.code !== shaka.util.Error.Code.LOAD_INTERRUPTED) retry(error);
    }
  };
  // A critical error stops Shaka Player for good, but the origin may recover soon.
  const retry = (error) => {
    say(`Playback error: Shaka ${error.category}.${error.code}. Retrying…`);
    clearTimeout(loading);
    loading = setTimeout(load, retryMs);
  };
  player.addEventListener("error", ({ detail }) => detail.severity === shaka.util.Error.Severity.CRITICAL && retry(detail));
  load();
  const behind = () => (player.isLive() ? player.getManifest().presentationTimeline.getSegmentAvailabilityEnd() - video.currentTime : undefined);
  return { player, reporter, behind };
}
