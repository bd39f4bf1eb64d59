// What of a browser the SDK uses, for tests in Node.js.

export class FakeVideo extends EventTarget {
  currentTime = 0;
  paused = true;
  readyState = 0;
  autoplay = false;
  seeking = false;
  src = "";
  error: { message: string } | null = null;
  native = false;
  plays = 0;
  refuses = false;

  canPlayType(): string {
    return this.native ? "maybe" : "";
  }
  getAttribute(name: string): string | null {
    return name == "src" && this.src ? this.src : null;
  }
  querySelector(): null {
    return null;
  }
  async play(): Promise<void> {
    this.plays++;
    if (this.refuses) throw Object.assign(Error("a gesture is needed"), { name: "NotAllowedError" });
    this.paused = false;
    this.dispatchEvent(new Event("playing"));
  }
  asElement(): HTMLVideoElement {
    return this as unknown as HTMLVideoElement;
  }
}

class FakeSocket {
  send(): void {}
}

class FakeDocument extends EventTarget {
  hidden = false;
  readyState = "complete";
  elements = new Map<string, unknown>();
  querySelector(selector: string): unknown {
    return this.elements.get(selector) ?? null;
  }
}

/** What a test changes of the browser, and what it reads. */
export interface Browser {
  document: FakeDocument;
  beacons: string[];
  /** Answers of fetch, in turn; the last one stays. A function is called, a status is an empty answer. */
  answers: (Response | Error | (() => Promise<Response>))[];
  requests: { url: string; method?: string; headers: Record<string, string> }[];
}

/** install makes a browser with WebRTC and Media Source Extensions. */
export function install(): Browser {
  const browser: Browser = { document: new FakeDocument(), beacons: [], answers: [], requests: [] };
  const define = (name: string, value: unknown) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  const page = new EventTarget();
  define("addEventListener", page.addEventListener.bind(page));
  define("removeEventListener", page.removeEventListener.bind(page));
  define("dispatchEvent", page.dispatchEvent.bind(page));
  define("WebSocket", FakeSocket);
  define("RTCPeerConnection", class {});
  define("MediaSource", class {});
  define("document", browser.document);
  define("navigator", { sendBeacon: (_: string, body: string) => browser.beacons.push(body) });
  define("fetch", async (url: URL, init: RequestInit) => {
    browser.requests.push({ url: String(url), method: init?.method, headers: (init?.headers ?? {}) as Record<string, string> });
    const answer = browser.answers.length > 1 ? browser.answers.shift() : browser.answers[0];
    if (!answer || answer instanceof Error) throw answer ?? new TypeError("Failed to fetch");
    return typeof answer == "function" ? await abortable(answer(), init?.signal) : answer.clone();
  });
  return browser;
}

const abortable = (answer: Promise<Response>, signal?: AbortSignal | null): Promise<Response> =>
  new Promise((resolve, reject) => {
    answer.then(resolve, reject);
    signal?.addEventListener("abort", () => reject(signal.reason as Error));
  });

/** entrance is an answer that the test turns on and off. */
export const entrance = (on = false) => {
  const state = { on, answer: async () => (state.on ? configuration() : Promise.reject(new TypeError("Failed to fetch"))) };
  return state;
};

/** configuration is what a tracker answers. */
export const configuration = (changes: object = {}, core: object = {}): Response =>
  Response.json({
    v: 1,
    streamURL: "https://origin.test/live/master.m3u8",
    swarmID: "swarm",
    trackers: ["wss://entrance.test/announce?t=ticket"],
    settings: {
      core: { swarmId: "swarm", announceTrackers: ["wss://entrance.test/announce?t=ticket"], rtcConfig: { iceServers: [] }, ...core },
      hlsjs: { liveSyncDurationCount: 3, maxBufferLength: 12 },
      shaka: { streaming: { bufferingGoal: 12 } },
      runtime: {},
    },
    telemetry: { url: "https://entrance.test/v1/telemetry", configURL: "https://entrance.test/v1/config", intervalMs: 5000, session: "ticket" },
    seeders: 1,
    ...changes,
  });

/** until waits for a condition, and fails with what it last was after ten seconds. */
export async function until(what: string, ok: () => unknown): Promise<void> {
  for (const end = Date.now() + 10_000; !ok(); ) {
    if (Date.now() > end) throw Error(`waited ten seconds for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
