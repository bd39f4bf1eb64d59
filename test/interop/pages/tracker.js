// The published bittorrent-tracker client and nothing else: joins a swarm by its 20-byte names, and
// exchanges messages with every peer that connects.
import Client from "bittorrent-tracker/client";
import { readConfig } from "./config.js";
import { report } from "./report.js";

const { page } = await readConfig();
const bytes = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));

Object.assign(report, { updates: [], received: {} });
const client = new Client({
  infoHash: bytes(page.infoHash),
  peerId: bytes(page.peerID),
  announce: page.trackers,
  rtcConfig: { iceServers: page.iceServers ?? [] },
  getAnnounceOpts: () => ({ numwant: page.numWant ?? 5 }),
});
window.client = client;
client.on("error", (e) => report.errors.push(`client: ${e.message ?? e}`));
client.on("warning", (e) => report.trackerWarnings.push(e.message ?? String(e)));
client.on("update", (update) => report.updates.push({ complete: update.complete, incomplete: update.incomplete }));
client.on("scrape", (scrape) => report.updates.push({ complete: scrape.complete, incomplete: scrape.incomplete, scrape: true }));
client.on("peer", (peer) => {
  const id = String.fromCharCode(...(peer.id.match(/../g) ?? []).map((h) => parseInt(h, 16)));
  peer.on("connect", () => {
    report.peersSeen++;
    report.peers = [...new Set([...report.peers, id])];
    peer.send(`hello from ${page.peerID}`);
  });
  peer.on("data", (data) => (report.received[id] = new TextDecoder().decode(data)));
  peer.on("error", (e) => report.notes.push(`peer: ${e.message}`));
});
report.ready = true;
client.start();
