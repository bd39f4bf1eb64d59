// Bundles the pages into dist/. A page is one HTML file that names one script. Its video is tiny:
// drawing it large takes a third of the processor time of a tab.
import { build } from "esbuild";
import { mkdir, writeFile } from "node:fs/promises";

const pages = ["hls", "shaka", "sdk", "tracker"];
await mkdir("dist", { recursive: true });
await build({
  entryPoints: pages.map((name) => `pages/${name}.js`),
  outdir: "dist",
  bundle: true,
  format: "esm",
  target: "chrome110",
  sourcemap: "linked",
  logLevel: "warning",
  // The published bundle of the core brings its own stand-ins for Node's modules.
  conditions: ["p2pml:core-as-bundle"],
  // The raw tracker client is written for Node and expects a bundler to fill in these.
  define: { global: "globalThis", "process.browser": "true" },
  inject: ["pages/node-globals.js"],
});
await Promise.all(
  pages.map((name) =>
    writeFile(
      `dist/${name}.html`,
      `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${name}</title>
<link rel="icon" href="data:,">
<video id="video" muted playsinline autoplay width="16" height="9"></video>
<script type="module" src="${name}.js"></script>
`,
    ),
  ),
);
