// The player page: plays the entrance's stream with the viewer SDK, and shows where the bytes come from.
import { play, type State, type Viewer } from "../sdk/index.js";
import { connections, inBits, inBytes, insideOf, Rates, received, Recent, share, type Source, sources, Totals } from "./figures.js";
import { listen } from "./keys.js";
import { posterOf } from "./poster.js";
import { type Kind, type Tracks, tracksOf } from "./tracks.js";
import { type Flows, wordsFor } from "./words.js";

const element = <E extends HTMLElement = HTMLElement>(id: string): E => document.getElementById(id) as E;
const write = (id: string, text: string) => {
  const to = element(id);
  if (to.textContent != text) to.textContent = text; // a screen reader hears of changes only
};

const query = new URLSearchParams(location.search);
const video = element<HTMLVideoElement>("video");
const kinds: Kind[] = ["quality", "audio", "captions"];
const atEdge = 4; // seconds behind the live position that count as there
const figuresMs = 500;
const wholeMs = 5000;

document.body.classList.toggle("bare", query.get("overlay") == "0");

// What the page needs of players is named by its content here, so that browsers keep it.
const modules: Record<string, () => Promise<unknown>> = {
  "vendor/hls.min.mjs": () => import("../vendor/hls.min.mjs"),
  "vendor/engine-hlsjs.mjs": () => import("../vendor/engine-hlsjs.mjs"),
  "vendor/player-shaka.mjs": () => import("../vendor/player-shaka.mjs"),
  "vendor/engine-shaka.mjs": () => import("../vendor/engine-shaka.mjs"),
};

const viewer: Viewer = play(video, {
  url: new URL(".", location.href),
  token: query.get("token") ?? undefined, // a token of the page's URL is passed on
  autoplay: true,
  modules,
});

Object.assign(globalThis, { p2pstreamViewer: viewer }); // for tests, and for debugging in the console

let tracks: Tracks | undefined;
let flows: Flows | undefined;

function show(state: State): void {
  const words = wordsFor(state, viewer.trouble, flows);
  write("status", words.status);
  element("notice").hidden = !words.what;
  write("what", words.what ?? "");
  write("todo", words.todo ?? "");
  element("act").hidden = !words.act;
  write("act", words.act ?? "");
}

function act(): void {
  if (viewer.state.autoplayRefused) void video.play();
  else location.reload();
}

/** follow shows what is known once there are settings, and a player. */
function follow(): void {
  const { config, player } = viewer;
  if (config && element("stream").textContent != config.streamURL) {
    write("stream", config.streamURL);
    const poster = posterOf(query.get("poster"), config.streamURL);
    if (poster) video.poster = poster;
  }
  if (player) tracks ??= tracksOf(player, video);
}

function showMenus(): void {
  for (const kind of kinds) {
    const choices = tracks?.choices(kind) ?? [];
    const select = element<HTMLSelectElement>(kind);
    element(`${kind}-menu`).hidden = !choices.length;
    const same = [...select.options].map((o) => o.value).join() == choices.map((c) => c.id).join();
    if (!same) select.replaceChildren(...choices.map((c) => new Option(c.label, c.id)));
    choices.forEach(({ label }, i) => {
      const option = select.options[i]!;
      if (option.text != label) option.text = label; // a menu that is open stays open
    });
    if (!same || document.activeElement != select) select.value = choices.find((c) => c.chosen)?.id ?? "";
  }
  const edge = tracks?.edge();
  const live = element("live");
  live.hidden = edge === undefined;
  const there = edge !== undefined && !video.paused && edge - video.currentTime < atEdge;
  live.classList.toggle("at-edge", there);
  write("live", there ? "Live" : "Go to live");
  const behind = tracks?.behind();
  element("latency-row").hidden = behind === undefined;
  if (behind !== undefined) write("latency", `${behind.toFixed(1)} s`);
}

function goLive(): void {
  const edge = tracks?.edge();
  if (edge === undefined) return;
  video.currentTime = edge;
  void video.play();
}

const rates = new Rates();
const recent = new Recent<keyof Flows>();
const totals = new Totals<Source | "uploaded" | "inside" | "stalls">();

function showFigures(): void {
  const { counters, reports } = viewer;
  const { http, seeder, viewer: other, uploaded } = counters;
  const now = rates.add(performance.now(), counters);
  flows = recent.add(performance.now(), { seeder, viewer: other, uploaded });
  const total = totals.add({ http, seeder, viewer: other, uploaded, inside: insideOf(reports?.played ?? {}), stalls: reports?.stalls() ?? 0 });
  const all = received(total);
  for (const source of sources) {
    write(source, inBytes(total[source]));
    write(`${source}-share`, share(total[source], all));
    write(`${source}-rate`, now ? inBits(now[source]) : "–");
    element(`bar-${source}`).style.width = all ? `${(100 * total[source]) / all}%` : "0";
  }
  write("offload", share(total.seeder + total.viewer, all));
  write("uploaded", inBytes(total.uploaded));
  element("inside-row").hidden = !total.inside;
  write("inside", `${inBytes(total.inside)} (${share(total.inside, all)})`);
  write("peers", connections([...(reports?.peers.values() ?? [])]));
  write("stalls", String(total.stalls));
}

/** showWhole asks about the whole audience, as long as the entrance tells it. */
async function showWhole(): Promise<void> {
  const answer = await fetch("v1/stats", { method: "POST" });
  if (!answer.ok) return; // the tracker tells it only to its operator
  const { viewers, seeders, offload } = await answer.json();
  const part = offload.windowRatio === null ? "no media received" : `${(100 * offload.windowRatio).toFixed(1)} % offload`;
  write("whole", `Whole audience: ${viewers} ${viewers == 1 ? "viewer" : "viewers"}, ${seeders} ${seeders == 1 ? "seeder" : "seeders"}, ${part} in the last ${offload.windowSeconds} s.`);
}

for (const kind of kinds) {
  const select = element<HTMLSelectElement>(kind);
  select.addEventListener("change", () => tracks?.choose(kind, select.value));
}
element("live").addEventListener("click", goLive);
element("act").addEventListener("click", act);
listen(element("player"), {
  toggle: () => void (video.paused ? video.play() : video.pause()),
  seek: (seconds) => (video.currentTime += seconds),
  mute: () => (video.muted = !video.muted),
  captions: () => {
    const choices = tracks?.choices("captions") ?? [];
    const on = choices.find((c) => c.chosen && c.id != "off");
    const next = on ? "off" : choices[1]?.id;
    if (next) tracks?.choose("captions", next);
  },
  fullscreen: () => void (document.fullscreenElement ? document.exitFullscreen() : video.requestFullscreen()),
  live: goLive,
});
viewer.on("state", show);
setInterval(() => {
  follow();
  showMenus();
  showFigures();
  show(viewer.state);
}, figuresMs);
if (query.get("overlay") != "0") setInterval(() => showWhole().catch(() => {}), wholeMs); // playback goes on while the tracker is away
