// p2pstream.js: what a page gets that loads the tracker's script. With the attribute data-video it plays the stream in
// that element; without it the page calls P2PStream.attach itself.
import { attach } from "./p2pstream.js";

globalThis.P2PStream = { attach };

const script = document.currentScript;
if (script?.dataset.video)
  import(new URL("p2pstream-viewer.mjs", script.src)).then((m) => m.playIn(script));
