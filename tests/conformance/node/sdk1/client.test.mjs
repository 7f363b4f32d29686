// @letta-ai/letta-client 1.12.1 against the real binary.
import assert from "node:assert/strict";
import { test } from "node:test";

import Letta from "@letta-ai/letta-client";

const client = new Letta({ baseURL: process.env.STELE_URL, apiKey: "any", maxRetries: 0 });
const newAgent = () =>
  client.agents.create({ memory_blocks: [{ label: "human", value: "Name: Grace." }, { label: "persona", value: "I am Ada." }] });

test("health, models, tags", async () => {
  assert.equal((await client.health()).status, "ok");
  assert.ok((await client.models.list()).some((model) => model.handle === "openai/mock-small"));
  assert.ok(Array.isArray(await client.tags.list()));
});

test("an agent is made, talks, remembers and is deleted", async () => {
  const agent = await newAgent();
  const answer = await client.agents.messages.create(agent.id, {
    messages: [{ role: "user", content: '@call memory_insert {"label":"human","new_string":"Likes tea."}' }],
  });
  assert.deepEqual(answer.messages.map((m) => m.message_type), ["tool_call_message", "tool_return_message", "assistant_message"]);
  const block = await client.agents.blocks.retrieve("human", { agent_id: agent.id });
  assert.equal(block.value, "Name: Grace.\nLikes tea.");
  await client.agents.delete(agent.id);
  await assert.rejects(client.agents.retrieve(agent.id), Letta.NotFoundError);
});

test("tokens are streamed", async () => {
  const agent = await newAgent();
  const stream = await client.agents.messages.stream(agent.id, { input: "@long 4", stream_tokens: true });
  let text = "";
  const kinds = new Set();
  for await (const event of stream) {
    kinds.add(event.message_type);
    if (event.message_type === "assistant_message") text += event.content;
  }
  assert.equal(text, "word0 word1 word2 word3");
  assert.ok(kinds.has("stop_reason") && kinds.has("usage_statistics"));
});

test("the iterators give every item exactly once while others write", async () => {
  const wanted = [];
  for (let i = 0; i < 5; i++) wanted.push((await client.blocks.create({ label: `node${i}`, value: "", tags: ["node-walk"] })).id);
  for (const order of ["asc", "desc"]) {
    for (const limit of [1, 2, 50]) {
      const seen = [];
      for await (const block of client.blocks.list({ tags: ["node-walk"], order, limit })) {
        seen.push(block.id);
        await client.blocks.create({ label: "noise", value: "" });
      }
      assert.deepEqual([...seen].sort(), [...wanted].sort());
    }
  }
});

test("runs and steps", async () => {
  const agent = await newAgent();
  await client.agents.messages.create(agent.id, { input: "@say hi" });
  const run = (await client.runs.list({ agent_id: agent.id })).items[0];
  assert.equal(run.status, "completed");
  const steps = (await client.runs.steps.list(run.id)).items;
  assert.equal(steps.length, 1);
  assert.ok((await client.steps.trace.retrieve(steps[0].id)).request_json.messages.length >= 2);
});

test("errors carry the API's status", async () => {
  await assert.rejects(client.agents.retrieve("agent-nonsense"), Letta.UnprocessableEntityError);
  const agent = await newAgent();
  await assert.rejects(client.agents.messages.create(agent.id, { input: "@fail 401" }), Letta.AuthenticationError);
});
