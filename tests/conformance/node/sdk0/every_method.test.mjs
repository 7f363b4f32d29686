// @letta-ai/letta-client 0.1.211: each of its methods, whatever the resource, is called once with what it needs; see method_walk.py.
import assert from "node:assert/strict";

import pkg from "@letta-ai/letta-client";

import { camel, deepCamel, walk } from "../every_method.mjs";

function* methods(thing, name = "") {
  const prototype = Object.getPrototypeOf(thing);
  for (const key of Object.getOwnPropertyNames(prototype)) {
    if (key === "constructor" || key.startsWith("_")) continue;
    if (!Object.getOwnPropertyDescriptor(prototype, key).get) yield { name: name + key, owner: thing, key };
    else if (thing[key] && typeof thing[key] === "object") yield* methods(thing[key], `${name}${key}.`);
  }
}

const names = {
  "agents.listAgentFiles": "agents.files.list", "agents.messages.previewRawPayload": "agents.messages.preview", "agents.summarizeAgentConversation": "agents.messages.summarize",
  "embeddingModels.list": "models.embeddings.list", "providers.checkProvider": "providers.check", "steps.retrieveStepMetrics": "steps.metrics.retrieve",
  "messages.listBatchMessages": "batches.messages.list", "folders.getFoldersMetadata": "folders.retrieveMetadata", "folders.getAgentsForFolder": "folders.agents.list",
};

// Parameters of the path come first, in the order of their names; all else is one object.
function call({ owner, key }, values) {
  const parameters = /\(([^)]*)\)/.exec(owner[key].toString())[1].split(",").map((each) => each.trim().split(" ")[0]);
  const left = Object.fromEntries(Object.entries(values).map(([name, value]) => [camel(name), deepCamel(value)]));
  if ("projectId" in left) left.project = left.projectSlug = left.projectId;  // one thing, three names
  if (key === "createVoiceChatCompletions") left.request = { body: left.request };
  const given = [];
  for (const parameter of parameters) {
    if (parameter === "requestOptions") break;
    if (parameter === "request" && !("request" in left)) given.push(left);
    else {
      assert.ok(left[parameter] !== undefined, `nothing is known for ${parameter}`);
      given.push(left[parameter]);
      delete left[parameter];
    }
  }
  return owner[key](...given);
}

// The client's type for a group's stream lacks its last events, so it fails on every answer that ends.
const unreadable = new Set(["groups.messages.createStream"]);

const all = [...methods(new pkg.LettaClient({ baseUrl: process.env.STELE_WALK_URL }))];
walk(all.filter(({ name }) => !unreadable.has(name)), process.env.STELE_METHODS_0, call, names);
