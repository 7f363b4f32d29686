// Calls every method of a client with the arguments that method_walk.py has found by looking at the Python client of the same generation.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

export const camel = (name) => name.replace(/_+([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export function deepCamel(value) {
  if (Array.isArray(value)) return value.map(deepCamel);
  if (value === null || typeof value !== "object" || value instanceof Blob) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [camel(key), deepCamel(inner)]));
}

// Reads what comes, pages and streams too.
async function read(answer) {
  const found = await answer;
  if (found === null || typeof found !== "object" || !found[Symbol.asyncIterator]) return;
  let seen = 0;
  for await (const _ of found) if (++seen === 200) break;
}

const file = ({ file: name, text }) => new File([text], name, { type: name.endsWith(".af") ? "application/json" : "text/plain" });

// `names`: those of methods that Python calls by others.
export function walk(methods, path, call, names = {}) {
  const table = JSON.parse(readFileSync(path));
  const plain = (name) => name.replaceAll("_", "").toLowerCase();
  const known = new Map(Object.entries(table).map(([name, entry]) => [plain(name), entry]));
  test("there are methods", () => assert.ok(methods.length > 100));
  for (const method of methods) {
    test(method.name, async () => {
      const entry = known.get(plain(snake(names[method.name] ?? method.name)));
      assert.ok(entry, "the Python client of this generation has no such method: tell method_walk.py");
      const values = Object.fromEntries(Object.entries(entry.values).map(([key, value]) => [key, value?.file && "text" in value ? file(value) : value]));
      let refused;
      await read(call(method, values)).catch((failed) => (refused = failed));
      const status = refused?.statusCode ?? refused?.status;
      if (refused) assert.ok(entry.refused.includes(status), `${JSON.stringify(values)}: ${status} ${refused.stack}`);
    });
  }
}
