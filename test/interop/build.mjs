// Bundles the pages into dist/, and the example pages of the viewer SDK into dist/examples/. A page of ours is one HTML
// file that names one script. Its video is tiny: drawing it large takes a third of the processor time of a tab.
import { build } from "esbuild";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

const common = {
  bundle: true,
  format: "esm",
  target: "chrome110",
  sourcemap: "linked",
  logLevel: "warning",
  // The published bundle of the core brings its own stand-ins for Node's modules.
  conditions: ["p2pml:core-as-bundle"],
};

const pages = ["hls", "shaka", "sdk", "tracker"];
await mkdir("dist", { recursive: true });
await build({
  ...common,
  entryPoints: pages.map((name) => `pages/${name}.js`),
  outdir: "dist",
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

// The examples are as they are in the sources, with an SDK that reports what it does.
const examples = "../../web/examples";
const html = (await readdir(examples)).filter((name) => name.endsWith(".html"));
const scripts = new Map();
for (const name of html) scripts.set(name, /<script type="module" src="([^"]+)"/.exec(await readFile(path.join(examples, name), "utf8"))?.[1]);
await rm("dist/examples", { recursive: true, force: true });
await build({
  ...common,
  sourcemap: false, // the test that serves them fills in URLs
  minify: true,
  entryPoints: [...scripts.values()].filter(Boolean).map((script) => path.join(examples, script)),
  outdir: "dist/examples",
  alias: { "@p2pstream/viewer": path.resolve("pages/observed.js") },
  define: { "process.env.NODE_ENV": '"production"' },
  jsx: "automatic",
  loader: { ".woff": "dataurl" },
});
const built = await readdir("dist/examples");
for (const [name, script] of scripts) {
  if (!script) continue; // it names the entrance's own script
  const base = path.parse(script).name;
  const style = built.includes(`${base}.css`) ? `<link rel="stylesheet" href="${base}.css">\n` : "";
  const page = await readFile(path.join(examples, name), "utf8");
  await writeFile(
    `dist/examples/${name}`,
    page.replace('<meta charset="utf-8">', `<meta charset="utf-8">\n<link rel="icon" href="data:,">\n${style}`).replace(`src="${script}"`, `src="${base}.js"`),
  );
}
