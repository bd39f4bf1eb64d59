import { play } from "./play.js";
import type { Viewer } from "./viewer.js";

/** The event that a video element gets with every state, as its detail, where a script element plays in it. */
export const stateEvent = "p2pstreamstate";

/**
 * playIn plays in the element that a script element names. Its attributes are data-video, a CSS selector; data-source, a
 * manifest for while the entrance does not answer (that of the video element); and data-token, a viewer token.
 * p2pstream.js calls it.
 */
export function playIn(script: HTMLScriptElement): void {
  const { video: selector = "", source, token } = script.dataset;
  const begin = () => {
    const video = document.querySelector<HTMLVideoElement>(selector);
    if (!video) return false;
    const own = video.getAttribute("src") ?? video.querySelector("source")?.getAttribute("src");
    const viewer = play(video, { url: new URL(".", script.src), source: source ?? own ?? undefined, token });
    (video as { p2pstream?: Viewer }).p2pstream = viewer;
    viewer.on("state", (detail) => video.dispatchEvent(new CustomEvent(stateEvent, { detail, bubbles: true })));
    return true;
  };
  if (begin()) return;
  const late = () => {
    if (!begin()) console.error(`p2pstream: data-video="${selector}" matches no element`);
  };
  if (document.readyState == "loading") document.addEventListener("DOMContentLoaded", late);
  else late();
}
