// Notes when a page reaches each step of its start, in milliseconds since it was asked to play.
import { elapsed, report } from "./report.js";

const maxSteps = 100;

/** Fills report.steps from now on. What is noted before the page asks to play counts from when its scripts ran. */
export function trace(video) {
  report.steps = [];
  const note = (step, at = elapsed()) => {
    if (report.steps.length < maxSteps) report.steps.push(`${at} ${step}`);
  };
  for (const event of ["loadedmetadata", "loadeddata", "playing"]) video.addEventListener(event, () => note(`video: ${event}`));
  const now = () => performance.now() - elapsed();
  new PerformanceObserver((list) => {
    for (const { name, startTime, responseEnd } of list.getEntries()) {
      const from = now();
      note(`request: ${new URL(name).pathname}, ${Math.round(startTime - from)} to ${Math.round(responseEnd - from)}`);
    }
  }).observe({ type: "resource" });
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) note(`busy: ${Math.round(duration)} ms from ${Math.round(startTime - now())}`);
  }).observe({ type: "longtask" });

  const { WebSocket: Socket, RTCPeerConnection: Connection } = globalThis;
  globalThis.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      note("socket: asked for");
      this.addEventListener("open", () => note("socket: open"));
      this.addEventListener("message", ({ data }) => note(`socket: hears ${kindOf(data)}`));
    }
    send(data) {
      note(`socket: says ${kindOf(data)}`);
      super.send(data);
    }
  };
  globalThis.RTCPeerConnection = class extends Connection {
    constructor(...args) {
      super(...args);
      note("connection: made");
      this.addEventListener("icegatheringstatechange", () => note(`connection: candidates ${this.iceGatheringState}`));
      this.addEventListener("iceconnectionstatechange", () => note(`connection: ICE ${this.iceConnectionState}`));
      this.addEventListener("connectionstatechange", () => note(`connection: DTLS ${this.connectionState}`));
    }
    createDataChannel(...args) {
      const channel = super.createDataChannel(...args);
      channel.addEventListener("open", () => note("channel: open"));
      channel.addEventListener("message", ({ data }) => note(`channel: hears ${data.byteLength ?? data.length}`));
      return channel;
    }
  };
}

/** kindOf names a message of the tracker's protocol. */
function kindOf(data) {
  try {
    const { action, offers, offer, answer } = JSON.parse(data);
    return offers ? `${action} with ${offers.length} offers` : offer ? "offer" : answer ? "answer" : action;
  } catch {
    return "something";
  }
}
