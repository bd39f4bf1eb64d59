// hls.js, with the published p2p-media-loader-hlsjs or without any P2P ("player": "plain").
import OwnHls from "hls.js";
import { HlsJsP2PEngine } from "p2p-media-loader-hlsjs";
import { coreConfig, readConfig } from "./config.js";
import { instrument } from "./engine.js";
import { attachReporter, loadReporter } from "./reporter.js";
import { report, watchVideo } from "./report.js";
import { trace } from "./trace.js";

const { page, viewer } = await readConfig();
const video = document.getElementById("video");
await loadReporter(page);
const settings = viewer.settings ?? {};

function create() {
  if (page.player === "plain") return new Hls({ ...page.hlsjs });
  const HlsWithP2P = HlsJsP2PEngine.injectMixin(Hls);
  return new HlsWithP2P({
    ...settings.hlsjs,
    ...page.hlsjs,
    p2p: {
      core: coreConfig(viewer, page),
      onHlsJsCreated(hls) {
        instrument(hls.p2pEngine);
        attachReporter(viewer, hls.p2pEngine, video);
      },
    },
  });
}

if (page.trace) trace(video);
watchVideo(video);
const Hls = page.entrance ? (await import(new URL("vendor/hls.min.mjs", page.entrance).href)).default : OwnHls;
const hls = create();
window.player = hls;
hls.on(Hls.Events.ERROR, (_, data) => {
  const text = `hls.js ${data.type} ${data.details}${data.fatal ? " (fatal)" : ""}: ${data.error?.message ?? data.reason ?? ""}`;
  // Fetch errors that hls.js retries are only notes.
  (data.fatal ? report.errors : report.notes).push(text);
});
hls.on(Hls.Events.LEVEL_SWITCHED, (_, data) => (report.level = data.level));
// Without P2P, fragments are what hls.js loads itself.
if (page.player === "plain") {
  hls.on(Hls.Events.FRAG_LOADED, (_, data) => {
    if (data.frag.sn !== "initSegment") report.bytes.http += data.frag.stats.total;
  });
}
hls.on(Hls.Events.MANIFEST_PARSED, () => {
  if (page.level !== undefined) hls.currentLevel = page.level;
  video.play().catch((e) => report.errors.push(`play: ${e.message}`));
});
hls.loadSource(viewer.streamURL);
hls.attachMedia(video);
