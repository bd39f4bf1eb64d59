// The live report of a tab, read by the harness as window.report.

let startedAt = performance.now();

export const report = {
  ready: false,
  firstFrameMs: -1,
  stalls: 0,
  stallMs: 0,
  stallDetails: [],
  currentTime: 0,
  level: -1,
  bytes: { http: 0, seeder: 0, viewer: 0 },
  uploadBytes: 0,
  uploads: {},
  peers: [],
  peersSeen: 0,
  firstPeerMs: -1,
  firstPeerByteMs: -1,
  segments: [],
  segmentErrors: [],
  downloads: [],
  errors: [],
  notes: [],
  trackerWarnings: [],
};
window.report = report;
addEventListener("error", (e) => report.errors.push(`script: ${e.message}`));
addEventListener("unhandledrejection", (e) => report.errors.push(`promise: ${e.reason?.message ?? e.reason}`));

/** Milliseconds since the page asked to play. */
export const elapsed = () => Math.round(performance.now() - startedAt);

const stallMs = 250;
const tickMs = 50;

/**
 * Counts stalls: after the first frame, a video that should play and whose time has not advanced for
 * 250 ms without a seek. A stall lasts from the last advance to the next.
 */
export function watchVideo(video) {
  startedAt = performance.now();
  report.ready = true;
  const first = () => {
    if (report.firstFrameMs >= 0) return;
    report.firstFrameMs = elapsed();
    // From here on the video's time is watched, not its picture. Out of view it is decoded as before, but not drawn,
    // which costs a quarter of what a tab costs.
    video.style.position = "absolute";
    video.style.left = "-10000px";
  };
  video.requestVideoFrameCallback?.(first);
  let seeking = false;
  let last = 0;
  let advancedAt = performance.now();
  let tickedAt = advancedAt;
  let late = 0; // the longest wait for a tick since the last advance
  let stall;
  const restart = () => {
    if (stall) {
      stall.ms = performance.now() - stall.from;
      report.stallMs += stall.ms;
    }
    stall = undefined;
    late = 0;
    advancedAt = performance.now();
  };
  video.addEventListener("seeking", () => {
    seeking = true;
  });
  video.addEventListener("seeked", () => {
    seeking = false;
    restart();
  });
  setInterval(() => {
    const now = performance.now();
    const time = video.currentTime;
    late = Math.max(late, now - tickedAt - tickMs);
    tickedAt = now;
    report.currentTime = time;
    report.buffered = bufferedAhead(video);
    report.ended = video.ended;
    // A tab in the background may present no frames; its time moves all the same.
    if (report.firstFrameMs < 0 && time > 0 && video.readyState >= 2 && time !== last && last > 0) first();
    if (time !== last || report.firstFrameMs < 0 || seeking || video.paused || video.ended) {
      last = time;
      restart();
    } else if (!stall && now - advancedAt >= stallMs) {
      report.stalls++;
      stall = { from: advancedAt, atMs: elapsed(), ms: -1, time, buffered: report.buffered, lateMs: late };
      report.stallDetails.push(stall);
    } else if (stall) stall.lateMs = Math.max(stall.lateMs, late);
    report.stalledNowMs = stall ? Math.round(now - stall.from) : 0;
  }, tickMs);
}

/** Seconds that can be played from the playhead without a gap. */
function bufferedAhead(video) {
  for (let i = 0; i < video.buffered.length; i++) {
    if (video.buffered.start(i) <= video.currentTime + 0.1 && video.currentTime <= video.buffered.end(i)) {
      return video.buffered.end(i) - video.currentTime;
    }
  }
  return 0;
}

/** Notes one whole segment with its SHA-256. */
export async function recordSegment(source, url, byteRange, data) {
  const at = elapsed();
  const digest = await crypto.subtle.digest("SHA-256", data);
  const sha256 = Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, "0")).join("");
  report.segments.push({
    url,
    byteRange: byteRange ? `${byteRange.start}-${byteRange.end}` : "",
    source,
    sha256,
    size: data.byteLength,
    atMs: at,
  });
}
