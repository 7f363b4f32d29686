// The samples of the API reference through @letta-ai/letta-client 1.12.1: with its methods where it has them, all else through the client's own
// verbs (`client.post(path, { body })`). What they are: reference_samples.json.
import Letta from "@letta-ai/letta-client";

import { camel } from "../every_method.mjs";
import { events, form, request, walkReference } from "../reference_walk.mjs";

// What the reference calls otherwise than the client does.
const names = { "health.check": "health", "agents.modify": "agents.update", "agents.messages.create_stream": "agents.messages.stream", "blocks.modify": "blocks.update", "tools.modify": "tools.update" };

async function withVerbs(client, step, values) {
  const { method, path, left } = request(step, values);
  const given = method === "GET" ? { query: left } : { body: left.file_path ? form(left) : left };
  const answer = client[method.toLowerCase()](path, given);
  return step.stream ? events(await (await answer.asResponse()).text()) : answer;
}

// One parameter of the path comes first, the others stand in the object behind it with all else.
function call(owner, key, values) {
  const left = { ...values };
  const first = /\(([^),]*)/.exec(owner[key].toString())[1].trim();
  const name = Object.keys(left).find((each) => each.replaceAll("_", "").toLowerCase() === first.toLowerCase());
  if (!name) return owner[key](...(Object.keys(left).length ? [left] : []));
  delete left[name];
  return owner[key](values[name], ...(Object.keys(left).length ? [left] : []));
}

walkReference((url, setUp) => {
  const client = new Letta({ baseURL: url, apiKey: setUp.token ?? "any", project: setUp.project, maxRetries: 0 });
  return async (step, values) => {
    const way = (names[step.call] ?? step.call ?? "no.such").split(".").map(camel);
    const key = way.pop();
    const owner = way.reduce((found, each) => found?.[each], client);
    if (!owner?.[key]) return withVerbs(client, step, values);
    const answer = await call(owner, key, values);
    if (!answer?.[Symbol.asyncIterator]) return answer;
    const told = [];
    for await (const item of answer) told.push(item);
    return told;
  };
});
