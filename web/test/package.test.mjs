// The package as its users get it: types, size, what is in it, and what Vite makes of it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");
const maxBytes = 12 * 1024; // of the SDK with gzip, without players
let temporary;

const call = async (command, ...args) => {
  try {
    return (await promisify(execFile)(command, args, { cwd: root })).stdout;
  } catch (error) {
    throw Error(`${command} ${args.join(" ")}: ${error.stdout}${error.stderr}`);
  }
};
const bin = (name) => path.join(root, "node_modules", ".bin", name);

before(async () => {
  temporary = await mkdtemp(path.join(tmpdir(), "p2pstream-viewer-"));
  await call(process.execPath, "build.mjs");
  await call(bin("tsc"), "-p", "tsconfig.json");
});
after(() => rm(temporary, { recursive: true, force: true }));

test("types: sources, tests and examples are strictly typed, and the types of players fit", () => call(bin("tsc"), "-p", "test/tsconfig.json"));

for (const page of ["player", "dashboard"]) test(`the ${page} is strictly typed`, () => call(bin("tsc"), "-p", `${page}/tsconfig.json`));

test("the dashboard has the uPlot whose license is served", async () => {
  const bundles = JSON.parse(await readFile(path.join(root, "third_party/versions.json"), "utf8"));
  const { version } = JSON.parse(await readFile(path.join(root, "node_modules/uplot/package.json"), "utf8"));
  assert.equal(bundles.find((b) => b.name == "uplot").version, version);
});

test("dist/ is what the sources build to", async () => {
  const fresh = path.join(temporary, "dist");
  await call(process.execPath, "build.mjs", fresh);
  const names = await readdir(fresh);
  assert.deepEqual(names.sort(), (await readdir(path.join(root, "dist"))).sort());
  for (const name of names) {
    const [is, should] = await Promise.all([readFile(path.join(root, "dist", name), "utf8"), readFile(path.join(fresh, name), "utf8")]);
    assert.ok(is === should, `dist/${name} is stale; run: npm run build`);
  }
});

test(`the SDK has at most ${maxBytes} bytes with gzip`, async () => {
  for (const file of ["dist/p2pstream-viewer.mjs", "build/viewer.js"]) {
    const size = gzipSync(await readFile(path.join(root, file)), { level: 9 }).length;
    assert.ok(size <= maxBytes, `${file}: ${size} bytes`);
  }
});

test("the SDK stores nothing in the browser", async () => {
  const code = await readFile(path.join(root, "build/viewer.mjs"), "utf8");
  assert.doesNotMatch(code, /\.cookie|localStorage|sessionStorage|indexedDB|\bcaches\b|userAgent|canvas/);
});

test("a Vite project builds with what npm pack makes", async () => {
  const [{ filename, files }] = JSON.parse(await call("npm", "pack", "--ignore-scripts", "--json", "--pack-destination", temporary));
  const names = files.map((file) => file.path);
  for (const name of ["package.json", "README.md", "build/viewer.mjs", "build/viewer.js", "build/types/sdk/index.d.ts"]) assert.ok(names.includes(name), name);
  assert.deepEqual(names.filter((name) => !/^(package\.json|README\.md|LICENSE|build\/(viewer\.m?js|types\/sdk\/[a-z]+\.d\.ts))$/.test(name)), []);

  const project = path.join(temporary, "project");
  await cp(path.join(root, "examples"), project, { recursive: true });
  const modules = path.join(project, "node_modules");
  const own = path.join(modules, "@p2pstream", "viewer");
  await mkdir(own, { recursive: true });
  await call("tar", "-xzf", path.join(temporary, filename), "-C", own, "--strip-components=1");
  for (const name of await readdir(path.join(root, "node_modules"))) {
    if (!name.startsWith(".")) await symlink(path.join(root, "node_modules", name), path.join(modules, name));
  }
  const { build } = await import("vite");
  const pages = (await readdir(project)).filter((name) => name.endsWith(".html"));
  assert.ok(pages.length >= 5, String(pages));
  await build({
    root: project,
    logLevel: "error",
    build: { minify: false, reportCompressedSize: false, rollupOptions: { input: pages.map((name) => path.join(project, name)) } },
  });
  const built = await readdir(path.join(project, "dist"));
  for (const page of pages) assert.ok(built.includes(page), page);
  const assets = path.join(project, "dist", "assets");
  const code = await Promise.all((await readdir(assets)).filter((name) => name.endsWith(".js")).map((name) => readFile(path.join(assets, name), "utf8")));
  assert.ok(code.some((text) => text.includes("p2pstreamstate") || text.includes("attach: url is missing")), "the SDK is in no file");
});
