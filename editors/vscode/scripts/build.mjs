// Bundle the extension and its webviews into dist/. `--watch` keeps doing so.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { context } from "esbuild";

const PRODUCTION = !process.argv.includes("--watch");
const SHARED = { bundle: true, minify: PRODUCTION, sourcemap: PRODUCTION ? false : "linked", logLevel: "warning" };

const extension = {
  ...SHARED,
  entryPoints: { extension: "src/extension.ts", ...tests() },
  outdir: "dist",
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["vscode"],
};

/** Two bundles a webview: `media/<name>/main.ts` and `main.css` become `dist/webview/<name>.js` and `<name>.css`. */
const webviews = {
  ...SHARED,
  entryPoints: webviewNames().flatMap((name) =>
    ["ts", "css"].map((kind) => ({ in: `media/${name}/main.${kind}`, out: name })),
  ),
  outdir: "dist/webview",
  platform: "browser",
  format: "iife",
  target: "chrome120",
};

/** The tests of the extension host, which the package leaves out. */
function tests() {
  return existsSync("test/host/index.ts") ? { "test/index": "test/host/index.ts" } : {};
}

function webviewNames() {
  const entries = existsSync("media") ? readdirSync("media") : [];
  return entries.filter((name) => existsSync(`media/${name}/main.ts`));
}

async function build(options) {
  const building = await context(options);
  await (PRODUCTION ? building.rebuild() : building.watch());
  if (PRODUCTION) await building.dispose();
}

rmSync("dist", { recursive: true, force: true });
await Promise.all([build(extension), build(webviews)]);
