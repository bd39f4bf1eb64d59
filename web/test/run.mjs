// Runs all tests of the package. With P2PSTREAM_RESULTS=FILE it also writes the events of `go test -json`, which the
// repository's table of results is made from.
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
const suites = ["attach", "play", "wait", "check", "player", "dashboard"];
await rm("build", { recursive: true, force: true });
await build({
  entryPoints: suites.map((name) => `test/${name}.test.ts`),
  outdir: "build/test",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  logLevel: "warning",
});

const results = process.env.P2PSTREAM_RESULTS && createWriteStream(process.env.P2PSTREAM_RESULTS);
const write = (Action, test, more = {}) =>
  results && results.write(`${JSON.stringify({ Action, Package: "github.com/p2pstream/p2pstream/web", Test: test.name, ...more })}\n`);

let failed = 0;
const files = [...suites.map((name) => `build/test/${name}.test.mjs`), "test/package.test.mjs"];
const stream = run({ files: files.map((f) => path.join(root, f)), concurrency: 2 });
stream.on("test:pass", (test) => {
  const skipped = test.skip !== undefined || test.todo !== undefined;
  if (skipped) failed++;
  write("run", test);
  write(skipped ? "skip" : "pass", test);
});
stream.on("test:fail", (test) => {
  failed++;
  const { error } = test.details;
  write("run", test);
  write("output", test, { Output: `${error?.cause?.stack ?? error?.stack ?? error}\n` });
  write("fail", test);
});
await new Promise((resolve) => stream.compose(new spec()).on("end", resolve).pipe(process.stdout));
if (results) await new Promise((resolve) => results.end(resolve));
process.exitCode = failed ? 1 : 0;
