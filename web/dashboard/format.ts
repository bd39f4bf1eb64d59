// Numbers as people read them. Each has its unit, with a space that does not break.
import type { Maybe } from "./model.js";

const none = "–";
const space = "\u00a0";

function scaled(value: number, units: string[]): string {
  let i = 0;
  while (Math.abs(value) >= 999.5 && i < units.length - 1) {
    value /= 1000;
    i++;
  }
  return `${value.toFixed(i > 0 && value < 99.5 ? 1 : 0)}${space}${units[i]}`;
}

const known = (value: Maybe | undefined): value is number => value !== null && value !== undefined && Number.isFinite(value);

export const bytes = (value: Maybe | undefined): string => (known(value) ? scaled(value, ["B", "kB", "MB", "GB", "TB", "PB"]) : none);
export const bits = (value: Maybe | undefined): string => (known(value) ? scaled(value, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"]) : none);
export const percent = (ratio: Maybe | undefined): string => (known(ratio) ? `${(100 * ratio).toFixed(1)}${space}%` : none);
export const copies = (value: Maybe | undefined): string => (known(value) ? value.toFixed(value < 99.5 ? 1 : 0) : none);

/** count writes whole numbers, and means with one digit. */
export const count = (value: Maybe | undefined): string =>
  known(value) ? (Math.abs(value - Math.round(value)) < 0.05 ? Math.round(value) : Math.round(value * 10) / 10).toLocaleString("en-GB") : none;

export function duration(ms: Maybe | undefined): string {
  if (!known(ms)) return none;
  return ms < 999.5 ? `${Math.round(ms)}${space}ms` : `${(ms / 1000).toFixed(ms < 99_500 ? 1 : 0)}${space}s`;
}

/** plural writes a number with its noun. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)}${space}${n == 1 ? one : many}`;

/** pixels writes the size of a picture, which manifests write as 1280x720. */
export const pixels = (resolution: string): string => resolution.replace(/^(\d+)x(\d+)$/, `$1×$2${space}px`);

const two = (n: number) => String(n).padStart(2, "0");

/** clock is a time of day on the clock of who reads it, with seconds where steps are short. */
export function clock(seconds: number, withSeconds = false): string {
  const t = new Date(1000 * seconds);
  return `${two(t.getHours())}:${two(t.getMinutes())}${withSeconds ? `:${two(t.getSeconds())}` : ""}`;
}

/** rangeWords are the time ranges in words. */
export const rangeWords: Record<string, string> = { "15m": "15 minutes", "1h": "hour", "6h": "6 hours", "24h": "24 hours" };
