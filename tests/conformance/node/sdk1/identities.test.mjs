// @letta-ai/letta-client 1.12.1 against the real binary: identities on agents.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import Letta from "@letta-ai/letta-client";

const client = new Letta({ baseURL: process.env.STELE_URL, apiKey: "any", maxRetries: 0 });

test("an identity is attached, found, named by a message and detached", async () => {
  const body = { identifier_key: `user_${randomUUID()}`, name: "John", identity_type: "user" };
  const john = await client.post("/v1/identities/", { body });
  const agent = await client.agents.create({ memory_blocks: [] });
  assert.equal(await client.agents.identities.attach(john.id, { agent_id: agent.id }), null);
  const shown = await client.agents.retrieve(agent.id, { include: ["agent.identities"] });
  assert.deepEqual(shown.identities.map((each) => each.identifier_key), [body.identifier_key]);
  const found = [];
  for await (const each of client.agents.list({ identity_id: john.id })) found.push(each.id);
  assert.deepEqual(found, [agent.id]);
  const answer = await client.agents.messages.create(agent.id, { input: "Hello", identity_id: body.identifier_key });
  assert.equal((await client.runs.retrieve(answer.messages[0].run_id)).metadata.identity_id, john.id);
  assert.equal(await client.agents.identities.detach(john.id, { agent_id: agent.id }), null);
  await assert.rejects(client.agents.identities.attach("nobody", { agent_id: agent.id }), Letta.NotFoundError);
});
