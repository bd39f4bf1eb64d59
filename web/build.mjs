// Builds what trackers serve (dist/, committed, with the digests of its sources) and what the npm package holds (build/).
// With a folder as its argument it writes dist/ there, for the test that compares them.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.dirname(fileURLToPath(import.meta.url));
const dist = path.resolve(root, process.argv[2] ?? "dist");
const common = { absWorkingDir: root, target: "es2020", legalComments: "none", logLevel: "warning" };
const served = (from, to, options) => build({ ...common, minify: true, entryPoints: [from], outfile: path.join(dist, to), ...options });

await mkdir(dist, { recursive: true });
await Promise.all([
  served("src/script.js", "p2pstream.js", { bundle: true, format: "iife" }),
  served("src/check.js", "p2pstream-check.mjs", { format: "esm" }),
  served("src/report.js", "p2pstream-report.mjs", { format: "esm" }),
  served("sdk/index.ts", "p2pstream-viewer.mjs", { bundle: true, format: "esm" }),
  served("player/main.ts", "player.js", { bundle: true, format: "esm", external: ["../vendor/*"] }),
  served("player/player.css", "player.css"),
  served("dashboard/main.ts", "dashboard.js", { bundle: true, format: "esm" }),
  served("dashboard/dashboard.css", "dashboard.css", { bundle: true }),
  writeFile(path.join(dist, "p2pstream.mjs"), 'import "./p2pstream.js";\nexport default globalThis.P2PStream;\n'),
]);

const sources = [];
for (const folder of ["src", "sdk", "player", "dashboard"]) {
  for (const name of (await readdir(path.join(root, folder))).sort()) {
    const digest = createHash("sha256").update(await readFile(path.join(root, folder, name)));
    sources.push(`${digest.digest("hex")}  ${folder}/${name}\n`);
  }
}
await writeFile(path.join(dist, "sources.sha256"), sources.join(""));

if (!process.argv[2]) {
  const packaged = { ...common, bundle: true, entryPoints: ["sdk/index.ts"] };
  await Promise.all([
    build({ ...packaged, format: "esm", outfile: "build/viewer.mjs" }),
    build({ ...packaged, format: "iife", globalName: "P2PStreamViewer", minify: true, outfile: "build/viewer.js" }),
  ]);
}
