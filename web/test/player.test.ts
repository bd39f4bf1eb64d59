import assert from "node:assert/strict";
import { test } from "node:test";
import { connections, inBits, inBytes, insideOf, Rates, Recent, share, Totals } from "../player/figures.js";
import { keyCommand } from "../player/keys.js";
import { posterOf } from "../player/poster.js";
import { hlsTracks, shakaTracks, tracksOf } from "../player/tracks.js";
import { wordsFor } from "../player/words.js";
import { type Reason, stateOf } from "../sdk/state.js";

test("the player's numbers have units", () => {
  assert.deepEqual([0, 999, 1000, 12_345_678].map(inBytes), ["0 B", "999 B", "1.0 kB", "12.3 MB"]);
  assert.deepEqual([0, 640_000, 2_500_000].map(inBits), ["0 kbit/s", "640 kbit/s", "2.5 Mbit/s"]);
  assert.deepEqual([share(1, 3), share(0, 0)], ["33.3 %", "–"]);
  assert.equal(insideOf({ a: { seederInside: 1 }, b: { viewerInside: 2 }, c: {} }), 3);
});

test("rates are of the last ten seconds, and begin anew with the counters", () => {
  const rates = new Rates();
  assert.equal(rates.add(0, { http: 0, seeder: 0, viewer: 0 }), undefined);
  assert.equal(rates.add(500, { http: 10, seeder: 0, viewer: 0 }), undefined, "half a second is no rate");
  for (let s = 1; s <= 20; s++) rates.add(1000 * s, { http: 100, seeder: 1000 * s, viewer: 0 });
  assert.deepEqual(rates.add(21_000, { http: 100, seeder: 21_000, viewer: 0 }), { http: 0, seeder: 8000, viewer: 0 });
  assert.equal(rates.add(22_000, { http: 5, seeder: 0, viewer: 0 }), undefined);
});

test("totals go on when the page joins anew", () => {
  const totals = new Totals<"seeder" | "stalls">();
  assert.deepEqual(totals.add({ seeder: 100, stalls: 1 }), { seeder: 100, stalls: 1 });
  assert.deepEqual(totals.add({ seeder: 150, stalls: 1 }), { seeder: 150, stalls: 1 });
  assert.deepEqual(totals.add({ seeder: 0, stalls: 0 }), { seeder: 150, stalls: 1 });
  assert.deepEqual(totals.add({ seeder: 30, stalls: 2 }), { seeder: 180, stalls: 3 });
});

test("what has grown in the last half minute is recent", () => {
  const recent = new Recent<"seeder" | "uploaded">();
  assert.deepEqual(recent.add(0, { seeder: 0, uploaded: 0 }), { seeder: false, uploaded: false });
  assert.deepEqual(recent.add(1000, { seeder: 9, uploaded: 0 }), { seeder: true, uploaded: false });
  assert.deepEqual(recent.add(30_500, { seeder: 9, uploaded: 5 }), { seeder: true, uploaded: true });
  assert.deepEqual(recent.add(31_500, { seeder: 9, uploaded: 5 }), { seeder: false, uploaded: true });
});

test("connections are not peers, and say to whom they lead", () => {
  assert.equal(connections([]), "none");
  assert.equal(connections([true, true]), "2 to seeders, 0 to viewers");
  assert.equal(connections([true, false, false]), "1 to seeders, 2 to viewers");
});

test("a page with peers says what moves between them", () => {
  const said = (seeder: boolean, viewer: boolean, uploaded: boolean) => wordsFor(stateOf("p2p"), undefined, { seeder, viewer, uploaded }).status;
  assert.equal(said(true, false, false), "Playing, getting video from seeders.");
  assert.equal(said(false, true, false), "Playing, getting video from other viewers.");
  assert.equal(said(true, true, false), "Playing, getting video from seeders and other viewers.");
  assert.equal(said(true, false, true), "Playing, getting video from seeders, giving to others.");
  assert.equal(said(false, false, true), "Playing, giving to others.");
  assert.equal(said(false, false, false), "Playing from the origin, connected to peers.");
  assert.ok(!wordsFor(stateOf("http", "joining"), undefined, { seeder: true, viewer: true, uploaded: true }).status.includes("getting"), "without peers it plays from the origin");
});

test("each way to fail is said in words, with what to do", () => {
  for (const reason of ["no-mse", "player-blocked", "unplayable"] as Reason[]) {
    const words = wordsFor(stateOf("failed", reason));
    assert.ok(words.what && words.todo, reason);
  }
  const away = wordsFor(stateOf("failed", "no-source"), "config-unreachable");
  assert.match(away.what!, /does not answer/);
  assert.equal(away.act, "Try again");
  assert.match(wordsFor(stateOf("failed", "no-source"), "config-refused").todo!, /new one/);
  assert.equal(wordsFor(stateOf("failed", "unplayable", "Shaka 3.3016")).what, "The video stopped with an error (Shaka 3.3016).");
  for (const reason of ["joining", "p2p-off", "no-webrtc", "no-mse", "player-blocked", "engine-blocked", "engine-unknown", "tracker-unreachable"] as Reason[]) {
    const words = wordsFor(stateOf("http", reason));
    assert.ok(words.status.startsWith("Playing") && !words.what, `${reason} does not alarm anyone`);
  }
  assert.equal(wordsFor({ ...stateOf("http", "joining"), autoplayRefused: true }).act, "Play");
  assert.equal(wordsFor(stateOf("starting")).status, "Loading…");
});

test("keys do what they do in other players, and others nothing", () => {
  const done: string[] = [];
  const commands = {
    toggle: () => done.push("toggle"),
    seek: (s: number) => done.push(`seek ${s}`),
    mute: () => done.push("mute"),
    captions: () => done.push("captions"),
    fullscreen: () => done.push("fullscreen"),
    live: () => done.push("live"),
  };
  for (const key of [" ", "K", "ArrowLeft", "ArrowRight", "m", "C", "f", "l", "Tab", "x", "constructor", "Enter"]) keyCommand(key, commands)?.();
  assert.deepEqual(done, ["toggle", "toggle", "seek -5", "seek 5", "mute", "captions", "fullscreen", "live"]);
});

test("a poster comes from the stream's own origin", () => {
  const stream = "https://origin.test/live/master.m3u8";
  assert.equal(posterOf("poster.jpg", stream), "https://origin.test/live/poster.jpg");
  assert.equal(posterOf("https://origin.test/p.png", stream), "https://origin.test/p.png");
  for (const bad of [null, "", "https://elsewhere.test/p.png", "//elsewhere.test/p.png", "javascript:alert(1)", "data:image/png,x", "http://[" ]) assert.equal(posterOf(bad, stream), undefined, String(bad));
});

const withTextTracks = (textTracks: object[] = [], currentTime = 0) => ({ textTracks, currentTime }) as unknown as HTMLVideoElement;

test("menus of hls.js", () => {
  const text = [{ kind: "subtitles", label: "Deutsch", mode: "disabled" }, { kind: "metadata", label: "id3", mode: "hidden" }, { kind: "captions", label: "", language: "en", mode: "showing" }];
  const levels = [{ height: 360, bitrate: 600_000 }, { height: 720, bitrate: 2_000_000, details: { live: true, edge: 100 } }];
  const hls: any = { levels, currentLevel: 1, loadLevel: 1, autoLevelEnabled: true, audioTracks: [{ name: "English" }, { name: "English" }], audioTrack: 1, liveSyncPosition: 94 };
  const tracks = tracksOf(hls, withTextTracks(text, 90));
  assert.deepEqual(tracks.choices("quality"), [
    { id: "auto", label: "Auto (720p, 2.0 Mbit/s)", chosen: true },
    { id: "1", label: "720p, 2.0 Mbit/s", chosen: false },
    { id: "0", label: "360p, 600 kbit/s", chosen: false },
  ]);
  tracks.choose("quality", "0");
  assert.equal(hls.nextLevel, 0);
  tracks.choose("quality", "auto");
  assert.equal(hls.nextLevel, -1);
  assert.deepEqual(tracks.choices("audio").map((c) => [c.label, c.chosen]), [["English", false], ["English (2)", true]]);
  tracks.choose("audio", "0");
  assert.equal(hls.nextAudioTrack, 0);
  assert.deepEqual(tracks.choices("captions").map((c) => [c.label, c.chosen]), [["Off", false], ["Deutsch", false], ["en", true]]);
  tracks.choose("captions", "0");
  assert.deepEqual(text.map((t) => t.mode), ["showing", "hidden", "disabled"]);
  tracks.choose("captions", "off");
  assert.deepEqual(text.map((t) => t.mode), ["disabled", "hidden", "disabled"]);
  assert.equal(tracks.edge(), 94);
  assert.equal(tracks.behind(), 10);
});

test("what cannot be chosen has no menu", () => {
  const film = hlsTracks({ levels: [{ height: 360, bitrate: 1, details: { live: false } }], currentLevel: 0, audioTracks: [{ name: "English" }], audioTrack: 0 }, withTextTracks());
  for (const kind of ["quality", "audio", "captions"] as const) assert.deepEqual(film.choices(kind), [], kind);
  assert.equal(film.edge(), undefined);
  assert.equal(film.behind(), undefined);
});

test("menus of Shaka Player", () => {
  const variant = (id: number, height: number, language: string, active = false) => ({ id, height, bandwidth: height * 1000 + id, videoBandwidth: height * 1000, language, label: null, active });
  const calls: unknown[] = [];
  const player: any = {
    enabled: true,
    visible: false,
    getVariantTracks: () => [variant(1, 360, "en"), variant(2, 720, "en", true), variant(3, 360, "de"), variant(4, 720, "de")],
    getTextTracks: () => [{ id: 9, language: "en", label: "English", active: true }],
    getConfiguration: () => ({ abr: { enabled: player.enabled } }),
    configure: (_: string, on: boolean) => (player.enabled = on),
    isTextTrackVisible: () => player.visible,
    setTextTrackVisibility: (on: boolean) => (player.visible = on),
    selectTextTrack: (t: any) => calls.push(["text", t.id]),
    selectVariantTrack: (t: any) => calls.push(["variant", t.id]),
    selectAudioLanguage: (language: string, _role: string, _channels: number, kept: number) => calls.push(["audio", language, kept]),
    isLive: () => true,
    seekRange: () => ({ start: 0, end: 50 }),
    getManifest: () => ({ presentationTimeline: { getSegmentAvailabilityEnd: () => 60 } }),
  };
  const tracks = tracksOf(player, withTextTracks([], 45));
  assert.deepEqual(tracks.choices("quality").map((c) => [c.id, c.label, c.chosen]), [["auto", "Auto (720p, 720 kbit/s)", true], ["2", "720p, 720 kbit/s", false], ["1", "360p, 360 kbit/s", false]]);
  tracks.choose("quality", "1");
  assert.equal(player.enabled, false);
  assert.deepEqual(tracks.choices("quality").map((c) => c.chosen), [false, true, false]);
  tracks.choose("quality", "auto");
  assert.equal(player.enabled, true);
  assert.deepEqual(tracks.choices("audio").map((c) => [c.label, c.chosen]), [["en", true], ["de", false]]);
  tracks.choose("audio", tracks.choices("audio")[1]!.id);
  assert.deepEqual(tracks.choices("captions").map((c) => [c.label, c.chosen]), [["Off", true], ["English", false]]);
  tracks.choose("captions", "9");
  assert.equal(player.visible, true);
  tracks.choose("captions", "off");
  assert.equal(player.visible, false);
  assert.deepEqual(calls, [["variant", 1], ["audio", "de", 3], ["text", 9]]);
  assert.equal(tracks.edge(), 50);
  assert.equal(tracks.behind(), 15);
  assert.equal(shakaTracks({ ...player, isLive: () => false }, withTextTracks()).edge(), undefined);
});
