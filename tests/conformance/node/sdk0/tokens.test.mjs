// @letta-ai/letta-client 0.1.211 with client-side access tokens.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LettaClient } from "@letta-ai/letta-client";

const hostname = "https://node-older.example";
const client = new LettaClient({ baseUrl: process.env.STELE_URL });
const refused = (call, status) => assert.rejects(call, (error) => error.statusCode === status);

test("a token is made, listed and taken back", async () => {
  const agent = await client.agents.create({ model: "openai/mock-small", embedding: "stele/hash", memoryBlocks: [] });
  const token = await client.clientSideAccessTokens.create({ hostname, policy: [{ type: "agent", id: agent.id, access: ["read_agent"] }] });
  assert.deepEqual(token.policy.data, [{ type: "agent", id: agent.id, access: ["read_agent"] }]);
  const page = new LettaClient({ baseUrl: process.env.STELE_URL, token: token.token });
  const options = { headers: { Origin: hostname }, maxRetries: 0 };
  assert.equal((await page.agents.retrieve(agent.id, {}, options)).id, agent.id);
  await refused(page.agents.list({}, options), 403);
  await client.clientSideAccessTokens.delete(token.token, {});
  await refused(page.agents.retrieve(agent.id, {}, options), 401);
});
