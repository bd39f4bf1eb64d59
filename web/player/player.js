// The player page: plays the tracker's stream with p2p-media-loader, HLS with hls.js and MPEG-DASH with Shaka Player, and
// shows where the bytes come from.

const element = (id) => document.getElementById(id);
const say = (text) => { element("status").textContent = text; };

const bytes = (n) => {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) { n /= 1000; i++; }
  return `${n.toFixed(i && n < 100 ? 1 : 0)} ${units[i]}`;
};
const percent = (part, whole) => (whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : "–");

function show({ reporter, behind }) {
  const { counters, peers } = reporter;
  const received = counters.http + counters.seeder + counters.viewer;
  for (const source of ["http", "seeder", "viewer"]) {
    element(source).textContent = bytes(counters[source]);
    element(`${source}-share`).textContent = percent(counters[source], received);
    element(`bar-${source}`).style.width = received ? `${(100 * counters[source]) / received}%` : "0";
  }
  element("offload").textContent = percent(counters.seeder + counters.viewer, received);
  element("uploaded").textContent = bytes(counters.uploaded);
  const seeders = [...peers.values()].filter(Boolean).length;
  element("peers").textContent = `${peers.size} (${seeders} to seeders)`;
  element("stalls").textContent = reporter.stalls();
  const seconds = behind();
  if (seconds !== undefined) element("latency").textContent = `${seconds.toFixed(1)} s`;
}

async function showWhole() {
  const answer = await fetch("v1/stats", { method: "POST" });
  if (!answer.ok) return; // the tracker tells it only to its operator
  const stats = await answer.json();
  const { windowRatio, windowSeconds } = stats.offload;
  const share = windowRatio === null ? "no media received" : `${(100 * windowRatio).toFixed(1)} % offload`;
  element("whole").textContent =
    `Whole audience: ${stats.viewers} viewers, ${stats.seeders} seeders, ${share} in the last ${windowSeconds} s.`;
}

async function start() {
  // A token of the page's URL is passed on. With POST the browser sends an Origin, by which the tracker knows its own page.
  const token = new URLSearchParams(location.search).get("token");
  const answer = await fetch("v1/config", { method: "POST", headers: token ? { Authorization: `Bearer ${token}` } : {} });
  const config = await answer.json();
  if (!answer.ok) throw new Error(config.error);
  element("stream").textContent = config.streamURL;

  const video = element("video");
  video.addEventListener("playing", () => say(config.seeders ? `Playing. Seeders with this stream: ${config.seeders}` : "Playing"));
  const { play } = await (config.format === "DASH" ? import("../player/shaka.js") : import("../player/hls.js"));
  const playing = await play(config, video, say);
  setInterval(() => show(playing), 500);
  setInterval(() => showWhole().catch(() => {}), 5000); // playback continues while the tracker is unreachable
  // For tests and for debugging in the console.
  globalThis.p2pstreamPlayer = { config, video, ...playing };
}

start().catch((error) => say(`Cannot play the stream: ${error.message}`));
