import type { Reason } from "./state.js";

/** The answer of a tracker's `GET …/v1/config`, as far as pages use it. */
export interface ViewerConfig {
  v: 1;
  streamURL: string;
  /** HLS or DASH. */
  format?: string;
  swarmID?: string;
  trackers: string[];
  settings: {
    core: Record<string, unknown> & { isP2PDisabled?: boolean };
    hlsjs?: Record<string, unknown>;
    shaka?: Record<string, unknown>;
    runtime?: Record<string, unknown>;
  };
  telemetry: { url: string; configURL: string; intervalMs: number; session: string };
  seeders?: number;
  p2pOff?: string;
}

/** A viewer token, or a function that gets one whenever settings are fetched. */
export type Token = string | (() => string | Promise<string>);

const patienceMs = 5000; // for one answer
const maxBytes = 256 * 1024;

/** ConfigError says why there are no settings. */
export class ConfigError extends Error {
  constructor(
    readonly reason: Reason,
    message: string,
  ) {
    super(message);
  }
}

/** baseURL returns the URL that everything of a stream is below, from any URL that a user may have of it. */
export function baseURL(url: string): URL {
  const base = new URL(url, globalThis.location?.href);
  base.search = base.hash = "";
  base.pathname = base.pathname.replace(/\/(v1\/config|player|p2pstream\.m?js|)$/, "") + "/";
  return base;
}

/** fetchConfig asks for the settings once. It throws ConfigError, or what the signal was aborted with. */
export async function fetchConfig(base: URL, token: Token | undefined, signal: AbortSignal): Promise<ViewerConfig> {
  const limit = new AbortController();
  const end = () => limit.abort(signal.reason);
  const timer = setTimeout(() => limit.abort(Error(`no answer in ${patienceMs} ms`)), patienceMs);
  signal.addEventListener("abort", end);
  try {
    const bearer = typeof token == "function" ? await token() : token;
    const answer = await fetch(new URL("v1/config", base), {
      // To their own origin browsers send Origin with POST alone, and without it a tracker may refuse the entrance's own page.
      method: base.origin == globalThis.location?.origin ? "POST" : "GET",
      credentials: "omit",
      cache: "no-store",
      signal: limit.signal,
      headers: bearer ? { Authorization: `Bearer ${bearer}` } : {},
    });
    const text = await read(answer);
    if (answer.status == 401 || answer.status == 403) throw new ConfigError("config-refused", errorIn(text) ?? `status ${answer.status}`);
    if (!answer.ok) throw new ConfigError("config-unreachable", errorIn(text) ?? `status ${answer.status}`);
    return checked(text);
  } catch (error) {
    if (signal.aborted || error instanceof ConfigError) throw error;
    const reason: unknown = limit.signal.aborted ? limit.signal.reason : error;
    throw new ConfigError("config-unreachable", messageOf(reason));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function read(answer: Response): Promise<string> {
  const reader = answer.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > maxBytes) {
      void reader.cancel();
      throw new ConfigError("config-invalid", "the answer is too long");
    }
    text += decoder.decode(value, { stream: true });
  }
}

function parse(text: string): Record<string, any> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value && typeof value == "object" ? (value as Record<string, any>) : undefined;
  } catch {
    return undefined;
  }
}

const errorIn = (text: string): string | undefined => {
  const error: unknown = parse(text)?.error;
  return typeof error == "string" ? error : undefined;
};

const isText = (value: unknown) => typeof value == "string";

function checked(text: string): ViewerConfig {
  const config = parse(text);
  const wrong = !config
    ? "it is not JSON"
    : config.v !== 1
      ? `v is ${config.v}, not 1`
      : !isText(config.streamURL) || !/^https?:/.test(config.streamURL)
        ? "streamURL is no http URL"
        : !Array.isArray(config.trackers) || !config.trackers.length || !config.trackers.every((t: unknown) => isText(t) && /^wss?:/.test(t as string))
          ? "trackers are no WebSocket URLs"
          : !config.settings?.core || typeof config.settings.core != "object"
            ? "settings.core is missing"
            : !isText(config.telemetry?.url) || !isText(config.telemetry?.session)
              ? "telemetry is missing"
              : "";
  if (wrong) throw new ConfigError("config-invalid", wrong);
  return config as ViewerConfig;
}

const firstWaitMs = 1000;
const lastWaitMs = 60_000;

/** backoff returns how long to wait before attempt n, from 1 on, with a random fifth around it. */
export const backoff = (attempt: number): number => Math.min(lastWaitMs, firstWaitMs * 2 ** (attempt - 1)) * (0.9 + Math.random() / 5);

/** pause ends after so many ms, when the browser is online again, or when the signal is aborted. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      globalThis.removeEventListener?.("online", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    globalThis.addEventListener?.("online", end);
    signal.addEventListener("abort", end);
  });
