// Checks the room boundaries of ARCHITECTURE.md: a package imports only from rooms on floors below it (and from `ip`), and
// only through their index; files on floor 0 that are not the room's one socket file touch neither network nor timers.
// Usage: node scripts/rooms.mjs [DIR]   (DIR holds packages/; the default is the project)
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";

const FLOORS = [
  ["ip", "sockopt", "bgp", "bfd", "dns"],
  ["spec", "lxd"],
  ["audit", "render", "health"],
  ["deploy", "maintain"],
  ["agent", "lab"],
  ["cli"],
];
/** Rooms of floor 0 that the others there may use. */
const CELLAR = new Set(["ip", "sockopt"]);
const ASIDE = new Set(["console", "testing"]);
/** The files of floor 0 that own sockets and timers. */
const SOCKET_FILES =
  /^.*\/sockopt\/src\/|\/src\/(socket|endpoint|clock|worker)(\/|\.ts$)|\/src\/[a-z-]+-(socket|worker|clock)\.ts$/;
const NETWORK_MODULES = new Set([
  "net",
  "dgram",
  "tls",
  "http",
  "https",
  "http2",
  "timers",
  "timers/promises",
  "worker_threads",
  "koffi",
]);
const TIMERS = /(?<![.\w])(setTimeout|setInterval|setImmediate)\s*\(|(?<![.\w])(Date\.now|performance\.now)\s*\(/;

const root = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), ".."));
const floorOf = new Map(FLOORS.flatMap((rooms, floor) => rooms.map((room) => [room, floor])));
const problems = [];

for (const room of readdirSync(join(root, "packages"))) {
  if (!floorOf.has(room) && !ASIDE.has(room)) {
    problems.push(`packages/${room}: no such room; add it to scripts/rooms.mjs and ARCHITECTURE.md`);
    continue;
  }
  const source = join(root, "packages", room, "src");
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    checkFile(room, source, file);
  }
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`rooms: ${problems.length} violation(s) of the room boundaries (ARCHITECTURE.md, "Rooms")`);
  process.exit(1);
}

function checkFile(room, source, file) {
  const text = readFileSync(file, "utf8");
  const { module } = parseSync(file, text);
  const place = (offset) => `${relative(root, file)}:${text.slice(0, offset).split("\n").length}`;
  const imports = [
    ...module.staticImports.map((i) => [i.moduleRequest.value, i.start]),
    ...module.staticExports.flatMap((e) =>
      e.entries.filter((x) => x.moduleRequest).map((x) => [x.moduleRequest.value, e.start]),
    ),
    ...module.dynamicImports.map((i) => [
      text.slice(i.moduleRequest.start, i.moduleRequest.end).replace(/^["'`]|["'`]$/g, ""),
      i.start,
    ]),
  ];
  for (const [specifier, offset] of imports) {
    if (specifier.startsWith("@trivet/")) checkRoom(room, specifier, place(offset));
    else if (specifier.startsWith(".")) {
      const target = resolve(dirname(file), specifier);
      if (!target.startsWith(source))
        problems.push(`${place(offset)}: imports ${specifier}, outside its own room; use the package name`);
    }
    const builtin = specifier.replace(/^node:/, "");
    if (floorOf.get(room) === 0 && NETWORK_MODULES.has(builtin) && !SOCKET_FILES.test(file))
      problems.push(
        `${place(offset)}: imports ${specifier}; on floor 0 only the room's socket file may (sockets and clocks are injected)`,
      );
  }
  if (floorOf.get(room) === 0 && !SOCKET_FILES.test(file)) {
    for (const [number, line] of text.split("\n").entries()) {
      if (TIMERS.test(line.replace(/\/\/.*$|^\s*\*.*$/, "")))
        problems.push(
          `${relative(root, file)}:${number + 1}: uses a timer or the wall clock; on floor 0 the clock is injected`,
        );
    }
  }
}

function checkRoom(room, specifier, where) {
  const [, other, ...deeper] = specifier.split("/");
  if (deeper.length > 0) problems.push(`${where}: imports ${specifier}; import @trivet/${other} (its index) only`);
  const [mine, theirs] = [floorOf.get(room), floorOf.get(other)];
  if (room === other) problems.push(`${where}: imports its own package by name; use a relative path`);
  else if (ASIDE.has(room)) return;
  else if (theirs === undefined)
    problems.push(`${where}: imports ${specifier}, which is no room that a product package may use`);
  else if (theirs >= mine && !mayUseCellar(room, other))
    problems.push(`${where}: ${room} (floor ${mine}) may not import ${other} (floor ${theirs})`);
}

function mayUseCellar(room, other) {
  return other === "ip" || (CELLAR.has(other) && !CELLAR.has(room));
}
