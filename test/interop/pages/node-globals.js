// What Node's own globals are to the published tracker client, in a browser.
import { Buffer } from "buffer";

const process = {
  browser: true,
  env: {},
  version: "",
  nextTick: (fn, ...args) => queueMicrotask(() => fn(...args)),
};

export { Buffer, process };
