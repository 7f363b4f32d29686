// @letta-ai/letta-client 1.12.1: each of its methods, whatever the resource, is called once with what it needs; see method_walk.py.
import Letta from "@letta-ai/letta-client";

import { walk } from "../every_method.mjs";

function* methods(thing, name = "") {
  for (const [key, resource] of Object.entries(thing)) {
    if (key.startsWith("_") || !resource?._client) continue;
    for (const method of Object.getOwnPropertyNames(Object.getPrototypeOf(resource)))
      if (method !== "constructor") yield { name: `${name}${key}.${method}`, owner: resource, key: method };
    yield* methods(resource, `${name}${key}.`);
  }
}

// One parameter of the path comes first, the others stand in the object behind it with all else.
function call({ owner, key }, values) {
  const source = owner[key].toString();
  const left = { ...values };
  const given = [];
  for (const parameter of /\(([^)]*)\)/.exec(source)[1].split(",").map((each) => each.trim().split(" ")[0])) {
    if (parameter === "options") break;
    if (["params", "body", "query"].includes(parameter)) given.push(left);
    else {
      const plain = (each) => each.replace(/^path_/, "").replaceAll("_", "").toLowerCase();
      const name = Object.keys(left).find((each) => plain(each) === plain(parameter));
      given.push(left[name]);
      delete left[name];
    }
  }
  return owner[key](...given);
}

walk([...methods(new Letta({ baseURL: process.env.STELE_WALK_URL, apiKey: "any", maxRetries: 0 }))], process.env.STELE_METHODS_1, call);
