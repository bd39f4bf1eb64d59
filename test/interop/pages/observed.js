// The viewer SDK as it is in the sources, for pages whose report is read. The example pages get it for @p2pstream/viewer.
import * as sdk from "../../../web/sdk/index.ts";
import { instrument } from "./engine.js";
import { report, watchVideo } from "./report.js";

function observed(video, begin) {
  watchVideo(video); // before the SDK begins: what it does at once counts
  const viewer = begin();
  report.states = [];
  report.reporter = true;
  Object.defineProperty(report, "reported", { get: () => ({ ...viewer.counters }), enumerable: true });
  const instrumented = new WeakSet();
  viewer.on("state", ({ mode, reason, detail }) => {
    report.states.push(reason ? `${mode} ${reason}` : mode);
    if (detail) report.notes.push(`${reason}: ${detail}`);
    const { engine } = viewer;
    if (!engine || instrumented.has(engine)) return;
    instrumented.add(engine);
    instrument(engine);
  });
  return viewer;
}

export const attach = (player, options) => observed(options.video ?? document.querySelector("video"), () => sdk.attach(player, options));
export const play = (video, options) => observed(video, () => sdk.play(video, options));
