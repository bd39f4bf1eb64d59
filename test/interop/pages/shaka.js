// Shaka Player with the published p2p-media-loader-shaka, which pins core 2.2.2 (generation v2.2).
import shaka from "shaka-player/dist/shaka-player.compiled.js";
import { ShakaP2PEngine } from "p2p-media-loader-shaka";
import { coreConfig, readConfig } from "./config.js";
import { instrument } from "./engine.js";
import { attachReporter, loadReporter } from "./reporter.js";
import { report, watchVideo } from "./report.js";

const { page, viewer } = await readConfig();
const video = document.getElementById("video");
await loadReporter(page);

shaka.polyfill.installAll();
ShakaP2PEngine.registerPlugins(shaka);
const engine = new ShakaP2PEngine({ core: coreConfig(viewer, page) }, shaka);
const player = new shaka.Player();
await player.attach(video);
window.player = player;
player.addEventListener("error", (e) =>
  report.errors.push(`shaka ${e.detail.category}.${e.detail.code}: ${e.detail.message ?? e.detail.data}`),
);
engine.bindShakaPlayer(player);
player.configure({ ...viewer.settings?.shaka, ...page.shaka }); // after the engine, which has a presentation delay of its own
instrument(engine);
attachReporter(viewer, engine, video);
watchVideo(video);
try {
  await player.load(viewer.streamURL);
  if (page.level !== undefined) {
    player.configure("abr.enabled", false);
    const tracks = player.getVariantTracks().sort((a, b) => a.bandwidth - b.bandwidth);
    player.selectVariantTrack(tracks[page.level], true);
  }
  await video.play();
} catch (e) {
  report.errors.push(`shaka load: ${e.message ?? e}`);
}
