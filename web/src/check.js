// p2pstream-check.mjs: compares segments that came from peers, in whole or in part, with the hashes that seeders give the
// tracker. p2pstream.js loads it from the tracker. It works with p2p-media-loader-core 2.2.2 and 2.3.

const patience = 1000; // ms that a hash which is about to come is waited for; the library ends a request after 2 s
const askAgain = 200; // ms between two requests for what is not known
const gather = 15; // ms that a request waits for what else is to be asked: audio comes with video
const believed = 2000; // ms for which it is believed that no seeder is there, or that the tracker does not answer
const hashLength = 24; // characters: 18 bytes of a SHA-256
const maxHashes = 64; // in one list
const maxLists = 4; // in one answer
const maxID = Number.MAX_SAFE_INTEGER; // the end of what a seeder of a live stream vouches for
const maxKnown = 4096; // hashes of one swarm that are remembered
const maxMixed = 1024;
const maxSizes = 1024; // segments whose size is remembered

const clock = () => performance.now();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// checker(engine, config, checks) returns what p2pstream.js calls for every finished segment: pass() asks the page's own
// hook, kind is "P2P" or "HTTP" for the last source. checks gets the counts that are reported.
export const checker = (engine, { telemetry }, checks) => {
  Object.assign(checks, { right: 0, wrong: 0, unknown: 0, unproven: 0 });
  const core = engine.core;
  const lists = new Lists(telemetry);

  // The library keeps the bytes of a peer that did not finish, and may complete the segment over HTTP.
  const mixed = new Set();
  const unfinished = ({ segment, downloadSource }) => {
    if (downloadSource == "http") return;
    mixed.add(segment.runtimeId);
    if (mixed.size > maxMixed) mixed.delete(mixed.values().next().value);
  };
  // The key and the first hashes are asked for while the first segment is on its way.
  const begins = ({ segment, downloadSource }) => {
    const place = downloadSource != "http" && placeOf(core, segment.runtimeId);
    if (!place || lists.key) return;
    engine.removeEventListener("onSegmentStart", begins);
    lists.want(place.swarm, place.id);
  };
  engine.addEventListener("onSegmentStart", begins);
  engine.addEventListener("onSegmentError", unfinished);
  engine.addEventListener("onSegmentAbort", unfinished);

  const sizes = new Sizes();
  for (const stream of ["mainStreamConfig", "secondaryStreamConfig"]) if (core[stream]) sizes.guard(core[stream]);

  return async (pass, kind, url, range, data) => {
    const id = idOf(url, range);
    if (kind == "P2P") sizes.set(id, { size: data.byteLength });
    if (kind == "HTTP" && !mixed.has(id)) return pass();
    const place = placeOf(core, id);
    const verdict = place ? await lists.check(place.swarm, place.id, data) : "unknown";
    checks[verdict]++;
    mixed.delete(id);
    return verdict != "wrong" && verdict != "unproven" && pass();
  };
};

const idOf = (url, range) => (range ? `${url}|${range.start}-${range.end}` : url);

// Sizes has the sizes of segments of which a peer gave every byte. When that peer leaves before they are checked, or before
// it says that they are all, core 2.2.2 asks the origin for the bytes after the segment's end, is told that there are none
// (416), and asks again and again until the player gives up. Such a request becomes one for the whole segment.
class Sizes {
  known = new Map(); // segment → its size, and where the rest began that was asked for last; in bytes

  guard(config) {
    const own = config.httpRequestSetup;
    config.httpRequestSetup = async (url, range, signal, part) => {
      const whole = this.isWhole(idOf(url, range), (part?.start ?? 0) - (range?.start ?? 0));
      const request = await own?.(url, range, signal, whole ? range : part);
      if (request || !whole) return request;
      return new Request(url, { signal, headers: range ? { Range: `bytes=${range.start}-${range.end}` } : {} });
    };
  }

  // isWhole: the segment has no bytes after so many, or the last request for them brought none.
  isWhole(id, bytes) {
    if (!bytes) return false;
    const { size, rest } = this.known.get(id) ?? {};
    this.set(id, { size, rest: bytes });
    return bytes >= size || bytes == rest;
  }

  set(id, entry) {
    this.known.delete(id);
    this.known.set(id, entry);
    if (this.known.size > maxSizes) this.known.delete(this.known.keys().next().value);
  }
}

// placeOf is what peers call a segment: its stream swarm id, and its number there.
const placeOf = (core, runtimeId) => {
  for (const stream of core.streams.values()) {
    const segment = stream.segments.get(runtimeId);
    if (!segment) continue;
    const { swarmId } = core[`${stream.type}StreamConfig`];
    return { swarm: `v2-${swarmId ?? core.manifestResponseUrl}-${stream.type}-${stream.index}`, id: segment.externalId };
  }
};

// Lists are the hashes that the tracker has told.
class Lists {
  constructor(telemetry) {
    this.telemetry = telemetry;
    this.session = telemetry.session;
    this.url = new URL("hashes", telemetry.url);
    this.swarms = new Map(); // stream swarm id → {hashes: id → text, from, to, at}
    this.wanted = [];
    this.asked = []; // what the request that is under way asks for
  }

  async check(swarm, id, data) {
    const began = clock();
    const until = began + patience;
    const got = text(await sha256(data)).slice(0, hashLength);
    if (this.asked.some((a) => a.swarm == swarm && a.id == id)) await Promise.race([this.asking, sleep(patience)]);
    for (let asked = false; ; asked = true) {
      const known = this.swarms.get(swarm);
      const hash = known?.hashes.get(id);
      if (hash) return hash == got ? "right" : "wrong";
      const covered = known && known.from <= id && id <= known.to;
      const now = clock();
      const nothing = known && now - known.at < believed && !known.hashes.size && known.to < known.from;
      if (now - this.failedAt < believed || nothing || (asked && !covered)) return "unknown";
      // The library leaves a peer whose segment is refused, so it is refused only if the tracker has said meanwhile that it
      // knows no hash. One that hangs has said nothing, and then pages would leave their peers, and meet no others.
      if (now > until) return known?.at > began ? "unproven" : "unknown";
      if (asked) await sleep(askAgain);
      await Promise.race([this.want(swarm, id), sleep(Math.max(until - clock(), 0) + 1)]);
    }
  }

  // want asks for a hash, and ends with the answer. One request runs at a time.
  want(swarm, id) {
    this.wanted.push({ swarm, id });
    return (this.gathering ??= Promise.all([this.asking, sleep(gather)]).then(() => (this.asking = this.ask())));
  }

  // ask gets what is wanted, in as few lists as hold it.
  async ask() {
    this.gathering = undefined;
    this.asked = this.wanted.sort((a, b) => (a.swarm == b.swarm ? a.id - b.id : a.swarm < b.swarm ? -1 : 1));
    this.wanted = [];
    try {
      const needed = [];
      for (const { swarm, id } of this.asked) {
        const last = needed[needed.length - 1];
        if (last?.swarm != swarm || id > last.after + maxHashes) needed.push({ swarm, after: id - 1 });
      }
      while (needed.length) await this.fetch(needed.splice(0, maxLists));
      this.failedAt = undefined;
    } catch {
      this.failedAt = clock(); // segments are taken without a check until the tracker answers
    }
    this.asked = [];
  }

  async fetch(needed) {
    this.key ??= await this.getKey();
    // Where viewers need a token, and where the browser sends no Origin, lists are given for the ticket only.
    const needsTicket = this.telemetry.guarded || this.url.origin == location.origin;
    const query = new URLSearchParams(needsTicket ? { t: this.session } : {});
    for (const { swarm, after } of needed) {
      query.append("swarm", swarm);
      query.append("after", after);
    }
    const { lists, mac } = await this.get(query);
    const signed = lists.map((l) => `${l.swarm}\n${l.after}\n${l.from}\n${l.to}\n${l.hashes}\n`).join("");
    if (text(await hmac(this.key, signed)) != mac) {
      this.key = undefined; // the tracker may have another one by now
      throw Error("signature");
    }
    lists.forEach((l, i) => {
      if (l.swarm == needed[i]?.swarm && l.after == needed[i].after) this.learn(l);
    });
  }

  learn({ swarm, after, hashes, from, to }) {
    const known = this.swarms.get(swarm) ?? { hashes: new Map() };
    this.swarms.set(swarm, Object.assign(known, { from, to, at: clock() }));
    hashes.forEach((hash, i) => {
      known.hashes.delete(after + 1 + i); // what is disputed now cannot be checked any more
      if (hash) known.hashes.set(after + 1 + i, hash);
    });
    // What a live playlist has left behind is forgotten, as the tracker forgets it: when the event ends, its last segments
    // have the ids of its first ones.
    for (const id of known.hashes.keys()) {
      if (known.hashes.size > maxKnown || (to == maxID && id < from)) known.hashes.delete(id);
    }
  }

  // getKey presents the session. One that has expired is replaced, as for reports.
  async getKey() {
    const ask = () => this.get(new URLSearchParams({ session: this.session }));
    const { key } = await ask().catch(async () => {
      this.session = (await (await fetch(this.telemetry.configURL, { method: "POST", credentials: "omit" })).json()).telemetry.session;
      return ask();
    });
    return Uint8Array.from(atob(key), (c) => c.charCodeAt(0));
  }

  async get(query) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), patience);
    try {
      const answer = await fetch(`${this.url}?${query}`, { credentials: "omit", signal: abort.signal });
      if (!answer.ok) throw Error(answer.status);
      return await answer.json();
    } finally {
      clearTimeout(timer);
    }
  }
}

const text = (bytes) => btoa(String.fromCharCode(...bytes));

const hmac = async (key, message) => {
  const pad = new Uint8Array(64);
  pad.set(key);
  const join = (mask, rest) => {
    const all = new Uint8Array(64 + rest.length);
    all.set(pad.map((b) => b ^ mask));
    all.set(rest, 64);
    return all;
  };
  return sha256(join(0x5c, await sha256(join(0x36, new TextEncoder().encode(message)))));
};

// sha256 uses the browser's own code where it is offered: in pages of https and of localhost.
const sha256 = async (data) => {
  const { subtle } = globalThis.crypto ?? {};
  return subtle ? new Uint8Array(await subtle.digest("SHA-256", data)) : digest(new Uint8Array(data.buffer ?? data));
};

// The constants of SHA-256 (FIPS 180-4 §4.2.2, §5.3.3): the first 32 bits of the fractions of roots of primes.
const primes = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
const fraction = (x) => (x - Math.floor(x)) * 2 ** 32;
const rounds = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
const initial = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));

// digest is SHA-256 (FIPS 180-4 §6.2) for pages of plain http.
export const digest = (bytes) => {
  const state = initial.slice();
  const w = new Int32Array(64);
  const block = (view, at) => {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15];
      const y = w[i - 2];
      w[i] =
        w[i - 16] + w[i - 7] +
        (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) +
        (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
    }
    // Not destructured: that would take an iterator for each block.
    let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i++) {
      const t =
        (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) +
          ((e & f) ^ (~e & g)) + rounds[i] + w[i]) | 0;
      const u = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t) | 0; d = c; c = b; b = a; a = (t + u) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  };
  const whole = bytes.length - (bytes.length % 64);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < whole; at += 64) block(view, at);
  const rest = bytes.length - whole;
  const end = new Uint8Array(rest < 56 ? 64 : 128);
  end.set(bytes.subarray(whole));
  end[rest] = 0x80;
  const last = new DataView(end.buffer);
  last.setUint32(end.length - 8, Math.floor(bytes.length / 2 ** 29));
  last.setUint32(end.length - 4, (bytes.length << 3) >>> 0);
  for (let at = 0; at < end.length; at += 64) block(last, at);
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => out.setInt32(4 * i, word));
  return new Uint8Array(out.buffer);
};
