// How a page gets its settings: its own (what this tab is to do) and the viewer's (what /v1/config
// says, either handed in as it is or fetched from a tracker).

/** @returns {Promise<{page: object, viewer: object}>} */
export async function readConfig() {
  const id = new URLSearchParams(location.search).get("tab");
  const page = await fetchJSON(`/tabs/${id}`);
  const viewer = page.configURL ? await fetchJSON(page.configURL) : page.config;
  return { page, viewer };
}

async function fetchJSON(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: status ${response.status}`);
  return response.json();
}

/** The p2p-media-loader core options of this viewer: what the config says, nothing of our own. */
export function coreConfig(viewer, page) {
  const core = { ...viewer.settings?.core };
  if (viewer.swarmID) core.swarmId = viewer.swarmID;
  if (viewer.trackers) core.announceTrackers = viewer.trackers;
  if (viewer.iceServers) core.rtcConfig = { ...core.rtcConfig, iceServers: viewer.iceServers };
  return { ...core, ...page.core, ...validators() };
}

import { recordSegment } from "./report.js";

// Instrumentation only: the digest of every segment is noted and every segment accepted.
function validators() {
  const note = (source) => async (url, byteRange, data) => {
    await recordSegment(source, url, byteRange, data);
    return true;
  };
  return { validateP2PSegment: note("p2p"), validateHTTPSegment: note("http") };
}
