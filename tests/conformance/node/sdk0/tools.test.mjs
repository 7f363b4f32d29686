// @letta-ai/letta-client 0.x against the real binary: tools that users make.
import assert from "node:assert/strict";
import { test as any } from "node:test";

import { LettaClient } from "@letta-ai/letta-client";

const client = new LettaClient({ baseUrl: process.env.STELE_URL });
// Skipped where this machine does not allow tools to be walled in (run.py finds out).
const test = (name, body) => any(name, { skip: process.env.STELE_NO_WALLS || false }, body);
const source = (name, text = "Adds two numbers.") => `def ${name}(a: int, b: int = 1) -> int:
    """${text}

    Args:
        a: the first
        b: the second
    """
    import os
    return a + b + int(os.environ.get("MORE", "0"))
`;
const agentWith = (tools, more = {}) =>
  client.agents.create({ agentType: "memgpt_v2_agent", model: "openai/mock-small", embedding: "stele/hash", memoryBlocks: [],
                         includeBaseTools: false, toolIds: tools.map((tool) => tool.id), ...more });
const say = (agent, text) => client.agents.messages.create(agent.id, { messages: [{ role: "user", content: text }] });
const returns = (answer) =>
  answer.messages.filter((message) => message.messageType === "tool_return_message").map((message) => [message.status, message.toolReturn]);

test("a tool is made, upserted, changed, counted, listed and deleted", async () => {
  const before = await client.tools.count();
  const tool = await client.tools.create({ sourceCode: source("node0_add"), tags: ["node0"], returnCharLimit: 100 });
  assert.equal(tool.name, "node0_add");
  assert.deepEqual(tool.jsonSchema.parameters.required, ["a"]);
  assert.ok((await client.tools.count()) > before);
  assert.equal(await client.tools.count({ name: "node0_add" }), 1);
  assert.equal((await client.tools.upsert({ sourceCode: source("node0_add", "Sums.") })).id, tool.id);
  const changed = await client.tools.modify(tool.id, { description: "New.", tags: ["t"] });
  assert.deepEqual([changed.description, changed.tags, changed.returnCharLimit], ["New.", ["t"], 100]);
  assert.equal((await client.tools.retrieve(tool.id)).description, "New.");
  for (const filter of [{ name: "node0_add" }, { names: ["node0_add"] }, { toolIds: [tool.id] }, { search: "NODE0_ADD", toolTypes: ["custom"] }])
    assert.deepEqual((await client.tools.list(filter)).map((each) => each.id), [tool.id], JSON.stringify(filter));
  assert.ok((await client.tools.upsertBaseTools()).some((each) => each.name === "fetch_webpage"));
  await assert.rejects(client.tools.create({ sourceCode: "def f(a): pass" }), (error) => error.statusCode === 400);
  await client.tools.delete(tool.id);
  await assert.rejects(client.tools.retrieve(tool.id), (error) => error.statusCode === 404);
});

test("a source is run without being kept", async () => {
  const made = await client.tools.runToolFromSource({ sourceCode: source("node0_once"), args: { a: 1 }, envVars: { MORE: "40" } });
  assert.deepEqual([made.status, made.toolReturn], ["success", "42"]);
  assert.deepEqual(await client.tools.list({ name: "node0_once" }), []);
});

test("composio says that it is gone", async () => {
  assert.deepEqual(await client.tools.listComposioApps(), []);
  assert.deepEqual(await client.tools.listComposioActionsByApp("github"), []);
  await assert.rejects(client.tools.addComposioTool("GITHUB_STAR"), (error) => error.statusCode === 410);
});

test("a tool is attached, called by a model, approved and detached", async () => {
  const tool = await client.tools.upsert({ sourceCode: source("node0_sum") });
  const agent = await agentWith([], { toolExecEnvironmentVariables: { MORE: "10" } });
  assert.deepEqual((await client.agents.tools.attach(agent.id, tool.id)).tools.map((each) => each.name), ["node0_sum"]);
  assert.deepEqual((await client.agents.tools.list(agent.id)).map((each) => each.id), [tool.id]);
  assert.deepEqual(returns(await say(agent, '@call node0_sum {"a": 1}')), [["success", "12"]]);
  await client.agents.modify(agent.id, { toolExecEnvironmentVariables: { MORE: "20" } });
  assert.deepEqual(returns(await say(agent, '@call node0_sum {"a": 1}')), [["success", "22"]]);
  await client.agents.tools.modifyApproval(agent.id, "node0_sum", { requiresApproval: true });
  assert.equal((await say(agent, '@call node0_sum {"a": 1}')).stopReason.stopReason, "requires_approval");
  assert.deepEqual((await client.agents.tools.detach(agent.id, tool.id)).tools, []);
  await client.tools.delete(tool.id);
});
