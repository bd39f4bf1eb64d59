// A page that has a player of hls.js already: one line makes it join.
import Hls from "hls.js";
import { HlsJsP2PEngine } from "p2p-media-loader-hlsjs";
import { attach } from "@p2pstream/viewer";

const hls = new Hls();
const viewer = attach(hls, { url: "https://entrance.example.com/events/town-hall/", engine: HlsJsP2PEngine });
viewer.on("state", ({ message }) => {
  document.getElementById("state")!.textContent = message;
});
hls.loadSource("https://origin.example.com/town-hall/master.m3u8");
hls.attachMedia(document.getElementById("video") as HTMLVideoElement);
