// MCP servers by id, with the client of generation 1 and a server made with the TypeScript SDK.
import assert from "node:assert/strict";
import { test } from "node:test";

import Letta from "@letta-ai/letta-client";

import { startPeer } from "../mcp_peer.mjs";

const client = new Letta({ baseURL: process.env.STELE_URL, apiKey: "any", maxRetries: 0 });

test("a server's life: made, its tools listed and called, refreshed, renamed, deleted", async () => {
  const peer = await startPeer();
  try {
    const made = await client.mcpServers.create({ server_name: "node one", config: { mcp_server_type: "streamable_http", server_url: peer.url } });
    assert.match(made.id, /^mcp_server-/);
    assert.ok((await client.mcpServers.list()).some((server) => server.id === made.id));
    const tools = await client.mcpServers.tools.list(made.id);
    assert.deepEqual(tools.map((tool) => tool.name).sort(), ["add", "echo", "fails", "greet"]);
    const echo = tools.find((tool) => tool.name === "echo");
    assert.equal((await client.mcpServers.tools.retrieve(echo.id, { mcp_server_id: made.id })).id, echo.id);
    const outcome = await client.mcpServers.tools.run(echo.id, { mcp_server_id: made.id, args: { message: "hé" } });
    assert.deepEqual([outcome.status, outcome.func_return], ["success", "Echo: hé"]);
    assert.deepEqual(await client.mcpServers.refresh(made.id), { deleted: [], updated: [], added: [] });
    const renamed = await client.mcpServers.update(made.id, { server_name: "node two", config: { mcp_server_type: "streamable_http", server_url: peer.url } });
    assert.equal(renamed.server_name, "node two");
    const agent = await client.agents.create({ tool_ids: [echo.id], memory_blocks: [{ label: "human", value: "h" }] });
    const answer = await client.agents.messages.create(agent.id, { messages: [{ role: "user", content: '@call echo {"message":"over there"}' }] });
    const returned = answer.messages.find((message) => message.message_type === "tool_return_message");
    assert.equal(returned.status, "success");
    assert.match(returned.tool_return, /Echo: over there/);
    await client.mcpServers.delete(made.id);
    await assert.rejects(client.mcpServers.retrieve(made.id), Letta.NotFoundError);
  } finally {
    await peer.stop();
  }
});
