// Makes what browsers get out of what stands here: `node build.mjs INTO`, with the packages of package-lock.json beside it.
// Every *.js and *.css whose name does not begin with "_" is an entry of its own; drawings are copied. Names carry the
// hash of what is in them; manifest.json says which is which; what shrinks has a copy beside it that is packed with Brotli.
// Nothing here looks at the machine, the clock or the folder: the same sources give the same bytes.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";

const into = process.argv[2];
const here = import.meta.dirname;
const names = readdirSync(here).filter((name) => !name.startsWith("_")).sort();
const files = {};

mkdirSync(into, { recursive: true });
const made = await build({
  absWorkingDir: here,
  entryPoints: names.filter((name) => [".js", ".css"].includes(extname(name))),
  outdir: into,
  bundle: true,
  splitting: true,
  minify: true,
  metafile: true,
  format: "esm",
  charset: "utf8",
  target: ["chrome109", "firefox115", "safari15.4"],
  entryNames: "[name]-[hash]",
  chunkNames: "part-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file", ".png": "dataurl" },
  legalComments: "none",
  logLevel: "error",
});
for (const [path, about] of Object.entries(made.metafile.outputs)) {
  if (about.entryPoint) files[about.entryPoint] = basename(path);
}
for (const name of names.filter((each) => extname(each) === ".svg")) {
  const content = readFileSync(join(here, name));
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  files[name] = `${basename(name, ".svg")}-${hash}.svg`;
  writeFileSync(join(into, files[name]), content);
}
for (const name of readdirSync(into).filter((each) => [".js", ".css", ".svg"].includes(extname(each)))) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  writeFileSync(join(into, `${name}.br`), brotliCompressSync(readFileSync(join(into, name)), { params }));
}
const sorted = Object.fromEntries(Object.keys(files).sort().map((name) => [name, files[name]]));
writeFileSync(join(into, "manifest.json"), `${JSON.stringify(sorted, null, 1)}\n`);
