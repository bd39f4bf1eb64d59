// Listens to a p2p-media-loader engine and fills the report.
import { elapsed, report } from "./report.js";

const seederPrefix = "-PS";
const maxNotes = 200;
const maxDownloads = 400;

function note(list, text) {
  if (list.length < maxNotes) list.push(text);
}

export function instrument(engine) {
  window.engine = engine;
  const peers = new Map();
  const publish = () => {
    report.peers = [...peers.keys()];
  };
  engine.addEventListener("onChunkDownloaded", (bytes, source, peerId) => {
    if (source === "http") report.bytes.http += bytes;
    else {
      if (report.firstPeerByteMs < 0) report.firstPeerByteMs = elapsed();
      if (peerId?.startsWith(seederPrefix)) report.bytes.seeder += bytes;
      else report.bytes.viewer += bytes;
    }
  });
  engine.addEventListener("onChunkUploaded", (bytes, peerId) => {
    report.uploadBytes += bytes;
    report.uploads[peerId] = (report.uploads[peerId] ?? 0) + bytes;
  });
  engine.addEventListener("onPeerConnect", ({ peerId }) => {
    peers.set(peerId, (peers.get(peerId) ?? 0) + 1);
    report.peersSeen++;
    if (report.firstPeerMs < 0) report.firstPeerMs = elapsed();
    publish();
  });
  engine.addEventListener("onPeerClose", ({ peerId }) => {
    const left = (peers.get(peerId) ?? 1) - 1;
    if (left > 0) peers.set(peerId, left);
    else peers.delete(peerId);
    publish();
  });
  engine.addEventListener("onPeerError", ({ peerId, error }) =>
    note(report.notes, `${elapsed()} peer ${peerId}: ${error?.type ?? ""} ${error?.message ?? error}`),
  );
  engine.addEventListener("onSegmentError", ({ segment, error, downloadSource, peerId }) =>
    note(report.segmentErrors, {
      url: segment?.url ?? "",
      type: String(error?.type ?? error),
      source: downloadSource ?? "",
      peer: peerId ?? "",
      atMs: elapsed(),
    }),
  );
  // What a stall had waited for: each begin and end of a download, and where the playhead was.
  const download = (event) => ({ segment, segmentUrl = segment.url, downloadSource }) => {
    if (report.downloads.length >= maxDownloads) return;
    const name = segmentUrl.split("/").slice(-2).join("/");
    const playhead = document.querySelector("video")?.currentTime ?? 0;
    report.downloads.push(`${elapsed()} ${event} ${name} ${downloadSource}, playhead ${playhead.toFixed(1)}`);
  };
  for (const event of ["Start", "Loaded", "Abort"]) engine.addEventListener(`onSegment${event}`, download(event.toLowerCase()));
  engine.addEventListener("onTrackerWarning", ({ warning }) =>
    note(report.trackerWarnings, `${elapsed()} warning: ${warning?.message ?? warning}`),
  );
  engine.addEventListener("onTrackerError", ({ error }) =>
    note(report.trackerWarnings, `${elapsed()} error: ${error?.message ?? error}`),
  );
}
