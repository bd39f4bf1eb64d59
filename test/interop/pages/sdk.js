// A page of a customer with the viewer SDK, as it is in the sources: its own hls.js, or the one of the entrance.
import Hls from "hls.js";
import { HlsJsP2PEngine } from "p2p-media-loader-hlsjs";
import { attach, play } from "../../../web/sdk/index.ts";
import { instrument } from "./engine.js";
import { report, watchVideo } from "./report.js";

const id = new URLSearchParams(location.search).get("tab");
const { sdk } = await (await fetch(`/tabs/${id}`)).json();
const video = document.getElementById("video");
for (const name of sdk.without ?? []) delete window[name];

watchVideo(video);
report.states = [];
report.reporter = true;
let viewer;
if (sdk.attach) {
  const hls = new Hls();
  viewer = attach(hls, { url: sdk.url, engine: HlsJsP2PEngine });
  hls.loadSource(sdk.source);
  hls.attachMedia(video);
} else {
  viewer = play(video, { url: sdk.url, source: sdk.source, hls: sdk.ownPlayer ? Hls : undefined });
}
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
