// @letta-ai/letta-client 1.12.1 against the real binary: templates.
import assert from "node:assert/strict";
import { test } from "node:test";

import Letta from "@letta-ai/letta-client";

const client = new Letta({ baseURL: process.env.STELE_URL, apiKey: "any", maxRetries: 0 });

test("a template is made, deployed, saved, rolled back and deleted", async () => {
  const author = await client.agents.create({ system: "For {{customer}}", memory_blocks: [{ label: "human", value: "{{name}}" }] });
  const made = await client.templates.create({ type: "agent", agent_id: author.id, name: `Node-${author.id.slice(-6)}` });
  assert.equal(made.latest_version, "1");
  const deployed = await client.templates.agents.create(`${made.name}:1`, { memory_variables: { name: "Ada", customer: "ACME" } });
  const agent = await client.agents.retrieve(deployed.agent_ids[0], { include: ["agent.blocks"] });
  assert.equal(agent.system, "For ACME");
  assert.equal(agent.blocks[0].value, "Ada");
  await assert.rejects(client.templates.agents.create(made.name, {}), (error) => {
    assert.ok(error instanceof Letta.BadRequestError);
    assert.equal(error.error.errorCode, "missingMemoryVariables");
    return true;
  });
  const file = { agents: [{ id: "agent-0", name: "Filed", system: "From a file" }], blocks: [], tools: [], groups: [] };
  assert.equal((await client.templates.update(made.name, { agent_file_json: file })).success, true);
  assert.equal((await client.templates.save(made.name, { message: "m" })).latest_version, "2");
  assert.equal((await client.templates.rollback(made.name, { version: "1" })).success, true);
  assert.equal((await client.templates.delete(made.name)).success, true);
  await assert.rejects(client.templates.delete(made.name), Letta.NotFoundError);
});
