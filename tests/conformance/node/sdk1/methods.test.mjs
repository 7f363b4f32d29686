// @letta-ai/letta-client 1.12.1: every method it has for this server's resources, with real assertions.
import assert from "node:assert/strict";
import { test } from "node:test";

import Letta from "@letta-ai/letta-client";

const client = new Letta({ baseURL: process.env.STELE_URL, apiKey: "any", maxRetries: 0 });
const make = (more = {}) => client.agents.create({ memory_blocks: [{ label: "human", value: "Name: Grace." }], ...more });
const kinds = (messages) => messages.map((message) => message.message_type);

async function all(pages) {
  const found = [];
  for await (const item of pages) found.push(item);
  return found;
}

test("agents are made, listed, changed and deleted", async () => {
  const made = [];
  for (let i = 0; i < 4; i++) made.push(await make({ name: `n${i}`, tags: ["n1-list", `n1-${i}`] }));
  const ids = made.map((agent) => agent.id);
  for (const order of ["asc", "desc"]) {
    for (const limit of [1, 2, 3, 50]) {
      const seen = [];
      for await (const agent of client.agents.list({ tags: ["n1-list"], order, limit })) {
        seen.push(agent.id);
        await make({ name: "noise" });
      }
      assert.deepEqual(seen, order === "asc" ? ids : [...ids].reverse(), `${order} ${limit}`);
    }
  }
  assert.deepEqual((await client.agents.retrieve(ids[0])).blocks, []);
  assert.equal((await client.agents.retrieve(ids[0], { include: ["agent.blocks"] })).blocks[0].value, "Name: Grace.");
  const changed = await client.agents.update(ids[0], { name: "Bea", system: "You are terse.", tags: ["n1-list", "z"] });
  assert.deepEqual([changed.name, changed.system, changed.tags.sort()], ["Bea", "You are terse.", ["n1-list", "z"]]);
  assert.deepEqual(await client.tags.list({ query_text: "n1-" }), ["n1-1", "n1-2", "n1-3", "n1-list"]);
  for (const id of ids) await client.agents.delete(id);
  await assert.rejects(client.agents.retrieve(ids[0]), Letta.NotFoundError);
});

test("blocks", async () => {
  const agent = await make();
  const block = await client.blocks.create({ label: "n1-team", value: "one", limit: 20, tags: ["n1-t"] });
  assert.equal((await client.blocks.retrieve(block.id)).value, "one");
  assert.equal((await client.blocks.update(block.id, { value: "two" })).value, "two");
  await assert.rejects(client.blocks.update(block.id, { value: "x".repeat(21) }), Letta.UnprocessableEntityError);
  await client.agents.blocks.attach(block.id, { agent_id: agent.id });
  assert.deepEqual((await all(client.blocks.agents.list(block.id))).map((a) => a.id), [agent.id]);
  assert.deepEqual(new Set((await all(client.agents.blocks.list(agent.id, { limit: 1 }))).map((b) => b.label)), new Set(["human", "n1-team"]));
  assert.equal((await client.agents.blocks.update("n1-team", { agent_id: agent.id, value: "three" })).value, "three");
  await client.agents.blocks.detach(block.id, { agent_id: agent.id });
  await client.blocks.delete(block.id);
  await assert.rejects(client.blocks.retrieve(block.id), Letta.NotFoundError);
});

test("tools and models", async () => {
  const agent = await make();
  const names = (await all(client.agents.tools.list(agent.id, { limit: 1 }))).map((tool) => tool.name).sort();
  assert.deepEqual(names, ["conversation_search", "memory_insert", "memory_replace"]);
  const tool = (await client.tools.list({ name: "memory_rethink" })).items[0];
  assert.equal((await client.tools.retrieve(tool.id)).json_schema.name, "memory_rethink");
  await client.agents.tools.attach(tool.id, { agent_id: agent.id });
  assert.equal((await all(client.agents.tools.list(agent.id))).length, 4);
  await client.agents.tools.detach(tool.id, { agent_id: agent.id });
  const everything = await all(client.tools.list({ limit: 2 }));
  assert.equal(new Set(everything.map((each) => each.id)).size, everything.length);
  assert.ok((await client.models.embeddings.list()).some((model) => model.handle === "stele/hash"));
});

test("messages: forms of content, listing, otid, reset, streams", async () => {
  const agent = await make();
  const otid = `otid-${agent.id}`;
  const first = await client.agents.messages.create(agent.id, { messages: [{ role: "user", content: "@say one", otid }] });
  assert.equal((await client.agents.messages.create(agent.id, { messages: [{ role: "user", content: "@say one", otid }] })).messages[0].id, first.messages[0].id);
  await client.agents.messages.create(agent.id, { input: [{ type: "text", text: "@say two" }] });
  const events = [];
  const stream = await client.agents.messages.create(agent.id, { input: '@call conversation_search {"query":"x"}', streaming: true });
  for await (const event of stream) events.push(event);
  assert.deepEqual(kinds(events).filter((kind) => kind !== "ping"), ["tool_call_message", "tool_return_message", "assistant_message", "stop_reason", "usage_statistics"]);
  for (const limit of [1, 2, 5, 50]) {
    const walked = await all(client.agents.messages.list(agent.id, { order: "asc", limit }));
    assert.deepEqual(kinds(walked), ["system_message", "user_message", "assistant_message", "user_message", "assistant_message",
      "user_message", "tool_call_message", "tool_return_message", "assistant_message"], `limit ${limit}`);
    assert.equal(walked[1].otid, otid);
  }
  assert.equal((await client.messages.retrieve(first.messages[0].id))[0].content, "one");
  assert.ok((await client.messages.list({ limit: 100 })).some((m) => m.id === first.messages[0].id));
  await client.agents.messages.reset(agent.id, { add_default_initial_messages: false });
  assert.equal((await client.agents.retrieve(agent.id)).message_ids.length, 1);
});

test("a failing model ends a stream with an error", async () => {
  const agent = await make();
  await assert.rejects(async () => {
    for await (const _ of await client.agents.messages.stream(agent.id, { input: "@fail 401" }));
  });
  assert.equal((await client.agents.messages.create(agent.id, { input: "@say alive" })).messages[0].content, "alive");
});

test("runs and steps", async () => {
  const agent = await make();
  const answer = await client.agents.messages.create(agent.id, { input: '@call conversation_search {"query":"x"}' });
  await client.agents.messages.create(agent.id, { input: "@say two" });
  for (const order of ["asc", "desc"]) {
    for (const limit of [1, 50]) assert.equal(new Set((await all(client.runs.list({ agent_id: agent.id, order, limit }))).map((run) => run.id)).size, 2);
  }
  const run = (await all(client.runs.list({ agent_id: agent.id, order: "asc" })))[0];
  assert.equal((await client.runs.retrieve(run.id)).status, "completed");
  assert.equal((await client.runs.usage.retrieve(run.id)).total_tokens, answer.usage.total_tokens);
  assert.deepEqual(kinds(await all(client.runs.messages.list(run.id, { order: "asc" }))), ["user_message", ...kinds(answer.messages)]);
  const steps = await all(client.runs.steps.list(run.id, { limit: 1 }));
  assert.equal(steps.length, 2);
  assert.equal((await client.steps.retrieve(steps[0].id)).run_id, run.id);
  assert.ok((await client.steps.metrics.retrieve(steps[0].id)).llm_request_ns > 0);
  assert.ok((await all(client.steps.messages.list(steps[0].id))).length > 0);
  assert.equal((await client.steps.feedback.create(steps[0].id, { feedback: "positive" })).feedback, "positive");
  assert.deepEqual((await all(client.steps.list({ agent_id: agent.id, feedback: "positive" }))).map((step) => step.id), [steps[0].id]);
});

test("a background stream is resumed, an asynchronous run polled, a run cancelled", async () => {
  const agent = await client.agents.create({});
  const events = [];
  for await (const event of await client.agents.messages.stream(agent.id, { input: "@long 12", stream_tokens: true, background: true })) events.push(event);
  const runId = events[0].run_id;
  for (const after of [0, 1, 7]) {
    const rest = [];
    for await (const event of await client.runs.messages.stream(runId, { starting_after: after })) rest.push(event);
    assert.deepEqual(rest, events.filter((event) => !(event.seq_id <= after)));
  }
  const run = await client.agents.messages.createAsync(agent.id, { input: "@sleep 60000" });
  assert.equal(run.status, "created");
  assert.deepEqual(await client.agents.messages.cancel(agent.id, { run_ids: [run.id] }), { [run.id]: "cancelled" });
  assert.equal((await client.runs.retrieve(run.id)).status, "cancelled");
});
