// A page of a customer with the viewer SDK: its own hls.js, or the player of the entrance.
import Hls from "hls.js";
import { HlsJsP2PEngine } from "p2p-media-loader-hlsjs";
import { attach, play } from "./observed.js";
import { trace } from "./trace.js";

const id = new URLSearchParams(location.search).get("tab");
const { sdk, trace: traced } = await (await fetch(`/tabs/${id}`)).json();
const video = document.getElementById("video");
for (const name of sdk.without ?? []) delete window[name];
if (traced) trace(video);

if (sdk.attach) {
  const hls = new Hls();
  attach(hls, { url: sdk.url, engine: HlsJsP2PEngine, video });
  hls.loadSource(sdk.source);
  hls.attachMedia(video);
} else {
  play(video, { url: sdk.url, source: sdk.source, hls: sdk.ownPlayer ? Hls : undefined });
}
