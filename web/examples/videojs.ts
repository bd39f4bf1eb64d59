// Video.js shows the controls; hls.js plays in its video element.
import videojs from "video.js";
import "video.js/dist/video-js.css";
import { play } from "@p2pstream/viewer";

const player = videojs("video", { fluid: true });
player.ready(() => {
  const video = player.el().querySelector("video")!;
  const viewer = play(video, { url: "https://entrance.example.com/events/town-hall/" });
  viewer.on("state", ({ message }) => {
    document.getElementById("state")!.textContent = message;
  });
  player.on("dispose", () => viewer.stop());
});
