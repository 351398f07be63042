// Runs one client's cells and prints one JSON line per cell: what the SDK returned or raised, and what was on the wire.
// The same job and the same lines as `python/harness.py`, where they are described.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

let wire = [];

// Notes every HTTP call. It only looks: requests and answers pass unchanged.
const original = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const url = new URL(typeof input === "string" ? input : (input.url ?? String(input)));
  const note = { method: init?.method ?? input.method ?? "GET", path: url.pathname, status: null, headers: {} };
  wire.push(note);
  const response = await original(input, init);
  note.status = response.status;
  note.headers = Object.fromEntries(response.headers);
  return response;
};

/** Says of the last call that its answer was left on purpose before its end. */
export function interrupted() {
  wire.at(-1).interrupted = true;
}

/** One turn as the SDK gave it. */
export function answer(fields) {
  const nothing = { finish: null, usage: null, refusal: null, parsed: null, id: null, headers: null };
  const empty = { text: "", tools: [], thinking: [], hides: [], ...nothing };
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null));
  return { ...empty, ...given };
}

/** One tool call; `input` as the SDK parsed it, or as text. */
export function call(id, name, input) {
  return { id, name, arguments: typeof input === "string" ? JSON.parse(input || "{}") : input };
}

/** Headers as the SDK shows them; null where it does not. */
export const shown = (headers) => headers && (headers.entries ? Object.fromEntries(headers) : { ...headers });

function classes(error) {
  const found = [];
  for (let one = Object.getPrototypeOf(error); one && one !== Object.prototype; one = Object.getPrototypeOf(one)) {
    found.push(one.constructor.name);
  }
  return [...new Set([error.name, ...found])];
}

function raised(error) {
  const [name, ...bases] = classes(error);
  const status = error.status ?? error.statusCode;
  // Wrappers say little themselves; what went wrong stands in their causes.
  const messages = [];
  for (let one = error; one && messages.length < 5; one = one.lastError ?? one.cause) {
    messages.push(one.message ?? String(one));
    if (one !== error && one.name) bases.push(one.name, ...classes(one));
  }
  const headers = shown(error.headers) ?? null;
  return { class: name, bases, status: status ?? null, message: messages.join(" <- "), headers, trace: [error.stack ?? ""] };
}

/** Where a package says its version; not every package exports that file. */
function version(name) {
  const require = createRequire(import.meta.url);
  let folder = dirname(require.resolve(name));
  for (;;) {
    try {
      const found = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (found.name === name) return found.version;
    } catch {
      // Not here; further up.
    }
    if (folder === dirname(folder)) return "unknown";
    folder = dirname(folder);
  }
}

/** Runs the job of standard input. `cases` maps names to functions; `packages` are those whose versions count. */
export async function main(cases, packages) {
  const job = JSON.parse(readFileSync(0, "utf8"));
  const print = (line) => process.stdout.write(JSON.stringify(line) + "\n");
  print({ versions: Object.fromEntries(packages.map((name) => [name, version(name)])) });
  for (const fields of job.cells) {
    const cell = { ...job, ...fields, partial: "", answers: [] };
    if (cell.case === "error_400") cell.image = job.bad_image;
    wire = [];
    let problem = null;
    try {
      await cases[cell.case](cell);
    } catch (error) {
      problem = raised(error);
    }
    print({ cell: cell.id, answers: cell.answers, partial: cell.partial, raised: problem, wire });
  }
}

// SDKs that log would break the lines.
console.log = console.info = console.warn = console.error;
