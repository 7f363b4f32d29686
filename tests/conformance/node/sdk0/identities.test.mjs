// @letta-ai/letta-client 0.1.211 against the real binary: identities.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { LettaClient, LettaError } from "@letta-ai/letta-client";

const client = new LettaClient({ baseUrl: process.env.STELE_URL });
const refused = (status) => (error) => {
  assert.ok(error instanceof LettaError);
  assert.equal(error.statusCode, status);
  return true;
};

test("identities are made, found, changed, linked and deleted", async () => {
  const identifierKey = `user_${randomUUID()}`;
  const made = await client.identities.create({ identifierKey, name: "John Doe", identityType: "user" });
  assert.deepEqual([made.identifierKey, made.identityType, made.properties], [identifierKey, "user", []]);
  await assert.rejects(client.identities.create({ identifierKey, name: "x", identityType: "user" }, { maxRetries: 0 }), refused(409));
  assert.equal((await client.identities.retrieve(identifierKey)).id, made.id);
  assert.equal((await client.identities.upsert({ identifierKey, name: "J.", identityType: "org" })).id, made.id);
  const properties = [{ key: "age", value: 5, type: "number" }];
  assert.deepEqual((await client.identities.properties.upsert(made.id, properties)).properties, properties);
  const agent = await client.agents.create({ model: "openai/mock-small", embedding: "stele/hash", memoryBlocks: [], identityIds: [made.id] });
  assert.deepEqual(agent.identityIds, [made.id]);
  assert.deepEqual((await client.agents.list({ identifierKeys: [identifierKey] })).map((each) => each.id), [agent.id]);
  const block = await client.blocks.create({ label: "Persona_John", value: "x" });
  assert.deepEqual((await client.identities.modify(made.id, { blockIds: [block.id] })).blockIds, [block.id]);
  assert.deepEqual((await client.blocks.list({ identityId: made.id })).map((each) => each.id), [block.id]);
  assert.ok((await client.identities.count()) >= 1);
  assert.deepEqual((await client.identities.list({ identifierKey })).map((each) => each.name), ["J."]);
  await client.identities.delete(made.id);
  await assert.rejects(client.identities.retrieve(made.id, { maxRetries: 0 }), refused(404));
});
