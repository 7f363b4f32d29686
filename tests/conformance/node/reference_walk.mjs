// The samples of the API reference (reference_samples.json), walked through whatever door a client has: what reference_walk.py is for
// Python, which also says what a step holds. A door is a function (step, values) -> the answer as JSON in the API's spelling.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const data = JSON.parse(readFileSync(new URL("../reference_samples.json", import.meta.url)));
const fillings = ["give", "has", "lacks", "one", "some", "none"];

export const statusOf = (failed) => failed.statusCode ?? failed.status;
export const textFile = (name) => new File(["What the file says"], name, { type: "text/plain" });

// `value` with what earlier answers said; an identifier in braces that none did stays as it stands.
function filled(value, known) {
  if (typeof value === "string") return value.replace(/\{(\w+)((?:\.\w+)*)\}/g, (all, name, way) => way.split(".").filter(Boolean).reduce((found, key) => found?.[key], known[name]) ?? all);
  if (Array.isArray(value)) return value.map((each) => filled(each, known));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, filled(each, known)]));
}

// Whether `found` holds all that `pattern` does.
function matches(pattern, found) {
  if (Array.isArray(pattern)) return Array.isArray(found) && pattern.every((each) => found.some((item) => matches(each, item)));
  if (pattern === null || typeof pattern !== "object") return pattern === found;
  return found !== null && typeof found === "object" && Object.entries(pattern).every(([key, each]) => matches(each, found[key]));
}

// Method, path, and what is left of `values` for the query or the body.
export function request(step, values) {
  const left = { ...values };
  const [method, way] = step.http.split(" ");
  const path = way.replace(/\{(\w+)\}/g, (_, name) => {
    const value = left[name];
    delete left[name];
    return encodeURIComponent(value);
  });
  return { method, path, left };
}

export function form(left) {
  const made = new FormData();
  made.append("file", textFile(left.file_path));
  return made;
}

// The door of those who write JSON.
export const overHttp = (url, setUp) => async (step, values) => {
  const { method, path, left } = request(step, values);
  const headers = { Authorization: `Bearer ${setUp.token ?? ""}`, ...(setUp.project && { "X-Project": setUp.project }) };
  const sent = method === "GET" ? {} : left.file_path ? { body: form(left) } : { body: JSON.stringify(left) };
  if (typeof sent.body === "string") headers["Content-Type"] = "application/json";
  const ask = async (query) => {
    const answer = await fetch(url + path + query, { method, headers, ...sent });
    if (!answer.ok) throw Object.assign(new Error(await answer.text()), { status: answer.status });
    return step.stream ? events(await answer.text()) : JSON.parse((await answer.text()) || "null");
  };
  return step.walk ? pages((after) => ask(`?limit=50${after ? `&after=${after}` : ""}`)) : ask("");
};

export const events = (text) => [...text.matchAll(/^data: (\{.*)$/gm)].map(([, line]) => JSON.parse(line));

// All items of a list that is asked for page by page.
export async function pages(next) {
  const found = [];
  for (let page; (page = await next(found.at(-1)?.id)).length; ) found.push(...page);
  return found;
}

function hold(step, answer) {
  const told = `${JSON.stringify(step)}: ${JSON.stringify(answer)?.slice(0, 2000)}`;
  if (step.has) assert.ok(matches(step.has, answer), told);
  if (step.lacks) assert.ok(!matches(step.lacks, answer), told);
  if (step.one) assert.equal(answer.filter((item) => matches(step.one, item)).length, 1, told);
  if (step.some) assert.ok(matches(step.some, answer), told);
  if (step.none) assert.ok(!answer.some((item) => matches(step.none, item)), told);
}

async function take(plain, door, known) {
  const step = { ...plain, ...Object.fromEntries(fillings.filter((key) => key in plain).map((key) => [key, filled(plain[key], known)])) };
  let answer;
  try {
    answer = await door(step, { ...step.give });
  } catch (failed) {
    assert.ok(statusOf(failed) && statusOf(failed) === step.refused, `${JSON.stringify(step)}: ${statusOf(failed)} ${failed.stack}`);
    return;
  }
  assert.ok(!step.refused, `${JSON.stringify(step)}: ${JSON.stringify(answer)}`);
  hold(step, answer);
  if (step.keep) known[step.keep] = answer;
  if (step.keep_one) known[step.keep_one] = answer.find((item) => matches(step.one, item));
}

async function walk(sample, door) {
  const known = { model_url: process.env.STELE_MODEL_URL };
  const left = [...sample.steps];
  try {
    while (left.length) await take(left.shift(), door, known);
  } finally {
    // Of a sample that failed: what it made would be in the way of the others.
    for (const step of left.filter(({ http }) => http.startsWith("DELETE"))) await take(step, door, known).catch(() => {});
  }
}

// A test for each sample and door; `through` makes the client's door from the address and from what the sample sets its client up with.
export function walkReference(through) {
  test("no section's sample is missing", () => {
    for (const [section, calls] of Object.entries(data.sections)) {
      const made = data.samples.filter((sample) => sample.section === section).flatMap(({ steps, stands_for }) => [stands_for, ...steps.map(({ call, http }) => call ?? http)]);
      assert.deepEqual(calls.filter((call) => !made.includes(call)), [], section);
    }
  });
  const url = process.env.STELE_WALK_URL;
  for (const [number, sample] of data.samples.entries()) {
    test(`${sample.section} (${number}), client`, () => walk(sample, through(url, sample.client)));
    test(`${sample.section} (${number}), HTTP`, () => walk(sample, overHttp(url, sample.client)));
  }
}
