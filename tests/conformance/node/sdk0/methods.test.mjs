// @letta-ai/letta-client 0.1.211: every method it has for this server's resources, with real assertions.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LettaClient, LettaError } from "@letta-ai/letta-client";

const client = new LettaClient({ baseUrl: process.env.STELE_URL });
const make = (more = {}) =>
  client.agents.create({
    agentType: "memgpt_v2_agent",
    model: "openai/mock-small",
    embedding: "stele/hash",
    memoryBlocks: [{ label: "human", value: "Name: Grace." }, { label: "persona", value: "I am Ada." }],
    ...more,
  });
const say = (agent, content, more = {}) => client.agents.messages.create(agent.id, { messages: [{ role: "user", content }], ...more });
const kinds = (messages) => messages.map((message) => message.messageType);
const status = (code) => (error) => error instanceof LettaError && error.statusCode === code;

test("agents are listed, filtered, counted, modified and deleted", async () => {
  const before = await client.agents.count();
  const made = [];
  for (let i = 0; i < 3; i++) made.push(await make({ name: `node${i}`, tags: ["node-old", `node-old${i}`] }));
  const ids = made.map((agent) => agent.id);
  assert.ok((await client.agents.count()) >= before + 3);
  assert.deepEqual(new Set((await client.agents.list({ tags: ["node-old"] })).map((a) => a.id)), new Set(ids));
  assert.deepEqual((await client.agents.list({ tags: ["node-old", "node-old1"], matchAllTags: true })).map((a) => a.id), [ids[1]]);
  const seen = [];
  for (let after; ; after = seen.at(-1)) {
    const page = await client.agents.list({ tags: ["node-old"], limit: 1, ascending: true, ...(after && { after }) });
    if (page.length === 0) break;
    seen.push(...page.map((a) => a.id));
    await make({ name: "noise" });
  }
  assert.deepEqual(seen, ids);
  assert.ok((await client.tags.list()).includes("node-old"));
  const changed = await client.agents.modify(ids[0], { name: "Bea", system: "You are terse.", metadata: { b: 2 } });
  assert.deepEqual([changed.name, changed.system, changed.metadata], ["Bea", "You are terse.", { b: 2 }]);
  assert.equal((await client.agents.retrieve(ids[0])).tools.length, made[0].tools.length);
  for (const id of ids) await client.agents.delete(id);
  await assert.rejects(client.agents.retrieve(ids[0]), status(404));
});

test("core memory, context and blocks", async () => {
  const agent = await make();
  assert.equal((await client.agents.coreMemory.retrieve(agent.id)).blocks.length, 2);
  assert.equal((await client.agents.blocks.retrieve(agent.id, "human")).value, "Name: Grace.");
  assert.deepEqual(new Set((await client.agents.blocks.list(agent.id)).map((b) => b.label)), new Set(["human", "persona"]));
  const overview = await client.agents.context.retrieve(agent.id);
  assert.ok(overview.coreMemory.includes("Name: Grace.") && overview.numMessages === 4);
  const block = await client.blocks.create({ label: "node-team", value: "one", limit: 20 });
  assert.equal((await client.blocks.retrieve(block.id)).value, "one");
  assert.equal((await client.blocks.modify(block.id, { value: "two" })).value, "two");
  await assert.rejects(client.blocks.modify(block.id, { value: "x".repeat(21) }), status(422));
  assert.ok((await client.blocks.list({ label: "node-team" })).some((b) => b.id === block.id));
  assert.ok((await client.blocks.count()) >= 3);
  await client.agents.blocks.attach(agent.id, block.id);
  assert.deepEqual((await client.blocks.agents.list(block.id)).map((a) => a.id), [agent.id]);
  await client.agents.blocks.detach(agent.id, block.id);
  await client.blocks.delete(block.id);
});

test("tools", async () => {
  const agent = await make();
  const names = new Set((await client.agents.tools.list(agent.id)).map((tool) => tool.name));
  assert.deepEqual(names, new Set(["send_message", "conversation_search", "memory_replace", "memory_insert"]));
  assert.ok((await client.tools.count()) >= 5);
  const [tool] = await client.tools.list({ name: "memory_rethink" });
  assert.equal((await client.tools.retrieve(tool.id)).name, "memory_rethink");
  await client.agents.tools.attach(agent.id, tool.id);
  const without = await client.agents.tools.detach(agent.id, tool.id);
  assert.ok(!without.tools.some((each) => each.name === "memory_rethink"));
});

test("a heartbeat turn, its listing, its run and its steps", async () => {
  const agent = await make();
  const answer = await say(agent, '@call conversation_search {"query": "x"}');
  assert.deepEqual(kinds(answer.messages), ["reasoning_message", "tool_call_message", "tool_return_message", "reasoning_message", "assistant_message"]);
  assert.deepEqual(JSON.parse(answer.messages[1].toolCall.arguments), { query: "x", request_heartbeat: true });
  const listed = await client.agents.messages.list(agent.id, { limit: 50 });
  assert.deepEqual(listed.slice(-2).map((m) => m.id), answer.messages.slice(-2).map((m) => m.id));
  const spoken = await say(agent, "@say aloud", { useAssistantMessage: false });
  assert.deepEqual(kinds(spoken.messages), ["reasoning_message", "tool_call_message", "tool_return_message"]);
  const runs = await client.runs.list({ agentIds: [agent.id] });
  assert.equal(runs.length, 2);
  const retrieved = await Promise.all(runs.map(({ id }) => client.runs.retrieve(id)));
  const run = retrieved.find(({ id }) => id === answer.messages[0].runId);
  assert.equal(run.status, "completed");
  assert.ok((await client.runs.messages.list(run.id)).length > 0);
  assert.ok((await client.runs.usage.retrieve(run.id)).totalTokens > 0);
  const steps = await client.runs.steps.list(run.id);
  assert.equal(steps.length, 2);
  assert.equal((await client.steps.retrieve(steps[0].id)).id, steps[0].id);
  assert.equal((await client.steps.list({ agentId: agent.id })).length, 3);
  const state = await client.agents.messages.reset(agent.id, { addDefaultInitialMessages: false });
  assert.equal(state.messageIds.length, 1);
  await client.runs.delete(run.id);
  await assert.rejects(client.runs.retrieve(run.id), status(404));
});

test("errors carry status and body", async () => {
  const agent = await make();
  await assert.rejects(say(agent, "@fail 401"), (error) => error.statusCode === 401 && error.body.error.type === "llm_authentication");
  await assert.rejects(client.agents.retrieve("agent-nonsense"), status(422));
});

test("a background stream is resumed, an asynchronous run polled as a job, a run cancelled", async () => {
  const agent = await client.agents.create({});
  const messages = [{ role: "user", content: "@long 12" }];
  const events = [];
  for await (const event of await client.agents.messages.createStream(agent.id, { messages, streamTokens: true, background: true })) events.push(event);
  const runId = events[1].runId;
  for (const startingAfter of [0, 1, 7]) {
    const rest = [];
    for await (const event of await client.runs.stream(runId, { startingAfter })) rest.push(event);
    assert.deepEqual(rest, events.filter((event) => !((event.seqId ?? event.seq_id) <= startingAfter)));
  }
  const run = await client.agents.messages.createAsync(agent.id, { messages: [{ role: "user", content: "@sleep 60000" }] });
  assert.equal(run.status, "created");
  assert.deepEqual(await client.agents.messages.cancel(agent.id, { runIds: [run.id] }), { [run.id]: "cancelled" });
  assert.equal((await client.jobs.retrieve(run.id)).status, "cancelled");
  assert.deepEqual(await client.jobs.list(), []);
});
