// Run the tests that need no VS Code: test/unit/**/*.test.ts, bundled one by one, by Node's own test runner.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const OUT = "dist/unit";

function find(folder, ending) {
  const names = readdirSync(folder, { recursive: true });
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
}

rmSync(OUT, { recursive: true, force: true });
await build({
  entryPoints: find("test/unit", ".test.ts"),
  outdir: OUT,
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  logLevel: "warning",
});
const { status } = spawnSync(process.execPath, ["--test", ...find(OUT, ".test.js")], { stdio: "inherit" });
process.exit(status ?? 1);
