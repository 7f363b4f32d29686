// @letta-ai/letta-client 0.1.211 against the real binary: approvals in their older form.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LettaClient, LettaError } from "@letta-ai/letta-client";

const client = new LettaClient({ baseUrl: process.env.STELE_URL });
const ask = [{ role: "user", content: '@call memory_insert {"label":"human","new_string":"Likes tea."}' }];

for (const approve of [true, false]) {
  test(`a call that waits is ${approve ? "approved" : "denied"} by the id of its request`, async () => {
    const made = await client.agents.create({
      model: "openai/mock-small", embedding: "stele/hash", memoryBlocks: [{ label: "human", value: "" }],
    });
    const agent = await client.agents.tools.modifyApproval(made.id, "memory_insert", { requiresApproval: true });
    assert.deepEqual(agent.toolRules.map((rule) => rule.type), ["requires_approval"]);
    const request = (await client.agents.messages.create(agent.id, { messages: ask })).messages.at(-1);
    assert.equal(request.messageType, "approval_request_message");
    await assert.rejects(client.agents.messages.create(agent.id, { messages: [{ role: "user", content: "hello?" }] }, { maxRetries: 0 }), (error) => {
      assert.ok(error instanceof LettaError);
      assert.equal(error.statusCode, 409);
      return true;
    });
    const kinds = [];
    let status;
    const decision = { type: "approval", approve, approvalRequestId: request.id, reason: "so" };
    for await (const piece of await client.agents.messages.createStream(agent.id, { messages: [decision] })) {
      kinds.push(piece.messageType);
      if (piece.messageType === "tool_return_message") status = piece.status;
    }
    assert.equal(status, approve ? "success" : "error");
    assert.ok(kinds.includes("assistant_message"));
    assert.equal((await client.agents.blocks.retrieve(agent.id, "human")).value, approve ? "Likes tea." : "");
  });
}
