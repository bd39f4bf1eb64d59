// What a page writes with the types of the published players. It is compiled, not run.
import Hls from "hls.js";
import { HlsJsP2PEngine } from "p2p-media-loader-hlsjs";
import { ShakaP2PEngine } from "p2p-media-loader-shaka";
import shaka from "shaka-player";
import { attach, play, type State } from "@p2pstream/viewer";

const url = "https://entrance.example.com/events/town-hall/";
const video = document.querySelector("video")!;

attach(new Hls(), { url });
attach(new Hls(), { url, engine: HlsJsP2PEngine, token: async () => "token" });
attach(new (HlsJsP2PEngine.injectMixin(Hls))(), { url: new URL(url), patienceMs: 200 });
attach(new shaka.Player(), { url, engine: ShakaP2PEngine, shaka, video });

const viewer = play(video, { url, source: "https://origin.example.com/master.m3u8", hls: Hls, engine: HlsJsP2PEngine, autoplay: true });
const end: () => void = viewer.on("state", ({ mode, reason, message }: State) => console.log(mode, reason, message));
end();
play(video, { url, format: "DASH", shaka, shakaEngine: ShakaP2PEngine, shakaConfig: { streaming: { bufferingGoal: 20 } } });
const { http, seeder, viewer: peers } = viewer.counters;
const sum: number = http + seeder + peers + viewer.peerCount;
viewer.stop();
console.log(sum);

// @ts-expect-error: the stream's URL is required
attach(new Hls(), {});
// @ts-expect-error: there is no such event
viewer.on("status", () => {});
// @ts-expect-error: only a video can be played in
play(document.querySelector("p")!, { url });
// @ts-expect-error: counters are read only
viewer.counters.http = 1;
// @ts-expect-error: what the SDK uses inside is no part of its types
viewer.say("http");
