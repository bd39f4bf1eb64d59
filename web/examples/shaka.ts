// A page that has Shaka Player already. Version 4.16.9 is the last one that p2p-media-loader-shaka works with.
import shaka from "shaka-player";
import { ShakaP2PEngine } from "p2p-media-loader-shaka";
import { attach } from "@p2pstream/viewer";

const video = document.getElementById("video") as HTMLVideoElement;
const player = new shaka.Player();
await player.attach(video);
const viewer = attach(player, { url: "https://entrance.example.com/events/town-hall/", engine: ShakaP2PEngine, shaka, video });
viewer.on("state", ({ message }) => {
  document.getElementById("state")!.textContent = message;
});
await player.load("https://origin.example.com/town-hall/master.m3u8");
