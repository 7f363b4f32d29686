// @letta-ai/letta-client 1.12.1 against the real binary: approvals and tools of the client.
import assert from "node:assert/strict";
import { test } from "node:test";

import Letta from "@letta-ai/letta-client";

const client = new Letta({ baseURL: process.env.STELE_URL, apiKey: "any", maxRetries: 2 });
const ask = '@call memory_insert {"label":"human","new_string":"Likes tea."}';
const place = { name: "get_place", description: "Where the person is.", parameters: { type: "object", properties: {} } };

async function newAgent() {
  const agent = await client.agents.create({ memory_blocks: [{ label: "human", value: "" }] });
  await client.agents.tools.updateApproval("memory_insert", { agent_id: agent.id, body_requires_approval: true });
  return agent;
}
const pendingOf = async (agent) =>
  (await client.agents.retrieve(agent.id, { include: ["agent.pending_approval"] })).pending_approval;

test("a call waits for approval, is refused to others meanwhile, and is made once approved", async () => {
  const agent = await newAgent();
  const asked = await client.agents.messages.create(agent.id, { input: ask });
  assert.equal(asked.stop_reason.stop_reason, "requires_approval");
  const request = asked.messages.at(-1);
  assert.equal(request.message_type, "approval_request_message");
  assert.equal((await pendingOf(agent)).id, request.id);
  await assert.rejects(client.agents.messages.create(agent.id, { input: "hello?" }), (error) => {
    assert.ok(error instanceof Letta.ConflictError);
    assert.equal(error.error.detail.pending_request_id, request.id);
    return true;
  });
  const answer = await client.agents.messages.create(agent.id, {
    messages: [{ type: "approval", approvals: [{ type: "approval", tool_call_id: request.tool_calls[0].tool_call_id, approve: true }] }],
  });
  assert.deepEqual(answer.messages.map((m) => m.message_type), ["tool_return_message", "assistant_message"]);
  assert.equal((await client.agents.blocks.retrieve("human", { agent_id: agent.id })).value, "Likes tea.");
});

test("a stream ends with the request, and a stream with the decision goes on", async () => {
  const agent = await newAgent();
  const pieces = [];
  for await (const piece of await client.agents.messages.stream(agent.id, { messages: [{ role: "user", content: ask }], stream_tokens: true }))
    pieces.push(piece);
  const call = (await pendingOf(agent)).tool_calls[0];
  const shown = pieces.filter((piece) => piece.message_type === "approval_request_message");
  assert.equal(shown.map((piece) => piece.tool_call.arguments ?? "").join(""), call.arguments);
  const kinds = [];
  const decision = { type: "approval", approvals: [{ type: "approval", tool_call_id: call.tool_call_id, approve: false, reason: "no" }] };
  for await (const piece of await client.agents.messages.stream(agent.id, { messages: [decision], stream_tokens: true }))
    kinds.push(piece.message_type);
  assert.ok(kinds.includes("tool_return_message") && kinds.includes("assistant_message"));
});

test("a tool of the client gives its result", async () => {
  const agent = await newAgent();
  const asked = await client.agents.messages.create(agent.id, { input: "@call get_place {}", client_tools: [place] });
  const answer = await client.agents.messages.create(agent.id, {
    client_tools: [place],
    messages: [{ type: "tool_return", tool_returns: [{ type: "tool", tool_call_id: asked.messages.at(-1).tool_calls[0].tool_call_id, tool_return: "Paris", status: "success" }] }],
  });
  assert.equal(answer.messages[0].tool_return, "Paris");
});
