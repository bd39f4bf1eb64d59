// The viewer SDK as it is in the sources, for pages whose report is read. The example pages get it for @p2pstream/viewer.
import * as sdk from "../../../web/sdk/index.ts";
import { instrument } from "./engine.js";
import { report, watchVideo } from "./report.js";

function observed(viewer, video) {
  watchVideo(video);
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

export const attach = (player, options) => observed(sdk.attach(player, options), options.video ?? document.querySelector("video"));
export const play = (video, options) => observed(sdk.play(video, options), video);
