// @letta-ai/letta-client 0.1.211 against the real binary.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LettaClient, LettaError } from "@letta-ai/letta-client";

const client = new LettaClient({ baseUrl: process.env.STELE_URL });
const newAgent = (agentType) =>
  client.agents.create({
    agentType,
    model: "openai/mock-small",
    embedding: "stele/hash",
    memoryBlocks: [{ label: "human", value: "Name: Grace." }, { label: "persona", value: "I am Ada." }],
  });

test("health and models", async () => {
  assert.equal((await client.health.check()).status, "ok");
  assert.ok((await client.models.list()).some((model) => model.handle === "openai/mock-small"));
});

for (const agentType of [undefined, "memgpt_agent", "memgpt_v2_agent"]) {
  test(`an agent of type ${agentType ?? "(the default)"} talks, streams and keeps its history`, async () => {
    const agent = await newAgent(agentType);
    const answer = await client.agents.messages.create(agent.id, { messages: [{ role: "user", content: "@say hello" }] });
    assert.equal(answer.messages.find((m) => m.messageType === "assistant_message").content, "hello");
    let text = "";
    const stream = await client.agents.messages.createStream(agent.id, { messages: [{ role: "user", content: "@long 3" }], streamTokens: true });
    for await (const event of stream) if (event.messageType === "assistant_message") text += event.content;
    assert.equal(text, "word0 word1 word2");
    const history = await client.agents.messages.list(agent.id);
    assert.ok(history.some((m) => m.messageType === "assistant_message" && m.content === "hello"));
  });
}

test("blocks are attached, modified and detached", async () => {
  const agent = await newAgent("memgpt_v2_agent");
  const block = await client.blocks.create({ label: "notes", value: "one" });
  const state = await client.agents.blocks.attach(agent.id, block.id);
  assert.ok(state.memory.blocks.some((each) => each.label === "notes"));
  assert.equal((await client.agents.blocks.modify(agent.id, "notes", { value: "two" })).value, "two");
  await client.agents.blocks.detach(agent.id, block.id);
  await client.blocks.delete(block.id);
  await assert.rejects(client.blocks.retrieve(block.id), LettaError);
});

test("tools answer with the agent", async () => {
  const agent = await newAgent("memgpt_v2_agent");
  const [tool] = await client.tools.list({ name: "memory_rethink" });
  assert.ok((await client.agents.tools.attach(agent.id, tool.id)).tools.some((each) => each.name === "memory_rethink"));
});
