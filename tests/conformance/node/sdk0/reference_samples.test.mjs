// The samples of the API reference through @letta-ai/letta-client 0.1.211: with its methods where it has them, what its types drop put back by
// a `fetcher` (its way to change a request), all else over HTTP. What they are: reference_samples.json.
import pkg from "@letta-ai/letta-client";
import core from "@letta-ai/letta-client/core/index.js";

import { camel, deepCamel } from "../every_method.mjs";
import { overHttp, pages, request, textFile, walkReference } from "../reference_walk.mjs";

// What the reference calls otherwise than the client does.
const names = { "sources.upload_file": "sources.files.upload", "sources.list_files": "sources.files.list", "sources.delete_file": "sources.files.delete" };
// What the client's types refuse, and something in its place that they take.
const standIns = { "blocks.create": { value: "" }, "blocks.modify": { value: "" } };
// What its types refuse because something lacks that the samples don't give.
const overHttpOnly = new Set(["tools.create", "tools.upsert", "providers.check"]);

function deepSnake(value) {
  if (Array.isArray(value)) return value.map(deepSnake);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), deepSnake(each)]));
}

// Parameters of the path come first, a file before them; all else is one object.
function call(owner, key, values) {
  const left = deepCamel(values);
  if (left.filePath) left.file = textFile(left.filePath);
  delete left.filePath;
  const given = [];
  for (const parameter of /\(([^)]*)\)/.exec(owner[key].toString())[1].split(",").map((each) => each.trim().split(" ")[0])) {
    if (parameter === "requestOptions") break;
    given.push(parameter === "request" ? left : left[parameter]);
    if (parameter !== "request") delete left[parameter];
  }
  return owner[key](...given);
}

walkReference((url, setUp) => {
  let beyond = {};  // what the types drop of the request at hand
  const fetcher = (args) => core.fetcher({ ...args, ...(args.body && args.requestType === "json" && { body: { ...beyond.dropped, ...args.body, ...beyond.refused } }) });
  const client = new pkg.LettaClient({ baseUrl: url, fetcher, ...setUp });
  const http = overHttp(url, setUp);
  return async (step, values) => {
    const way = (names[step.call] ?? step.call ?? "no.such").split(".").map(camel);
    const key = way.pop();
    const owner = way.reduce((found, each) => found?.[each], client);
    const { left } = request(step, values);
    if (!owner?.[key] || overHttpOnly.has(step.call) || (step.http.startsWith("PATCH") && step.call.endsWith("modify") && !Object.keys(left).length)) return http(step, values);
    const standIn = standIns[step.call] ?? {};
    beyond = { dropped: left, refused: Object.fromEntries(Object.keys(standIn).map((name) => [name, left[name]])) };
    if (step.walk) return pages((after) => call(owner, key, { limit: 50, ...(after && { after }) }).then(deepSnake));
    const answer = await call(owner, key, { ...values, ...standIn });
    if (!step.stream) return deepSnake(answer);
    const told = [];
    for await (const event of answer) told.push(deepSnake(event));
    return told;
  };
});
