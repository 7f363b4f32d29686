// @letta-ai/letta-client 1.12.1 with client-side access tokens, as a page has them.
import assert from "node:assert/strict";
import { test } from "node:test";

import Letta from "@letta-ai/letta-client";

const hostname = "https://node-newer.example";
const client = new Letta({ baseURL: process.env.STELE_URL, apiKey: "any", maxRetries: 0 });

test("a token is made, used, listed and taken back", async () => {
  const agent = await client.agents.create({ memory_blocks: [] });
  const token = await client.accessTokens.create({ hostname, policy: [{ type: "agent", id: agent.id, access: ["read_agent", "write_messages"] }] });
  const page = new Letta({ baseURL: process.env.STELE_URL, apiKey: token.token, maxRetries: 0, defaultHeaders: { Origin: hostname } });
  assert.equal((await page.agents.retrieve(agent.id)).id, agent.id);
  assert.equal((await page.agents.messages.create(agent.id, { input: "@say hello" })).messages.at(-1).content, "hello");
  await assert.rejects(page.agents.messages.list(agent.id), Letta.PermissionDeniedError);
  const listed = await client.accessTokens.list({ agentId: agent.id });
  assert.deepEqual(listed.tokens.map((each) => each.token), [token.token.slice(0, 8) + "..."]);
  await client.accessTokens.delete(token.token, {});
  await assert.rejects(page.agents.retrieve(agent.id), Letta.AuthenticationError);
});
