// MCP servers by name, with the client of generation 0 and a server made with the TypeScript SDK.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LettaClient } from "@letta-ai/letta-client";

import { startPeer } from "../mcp_peer.mjs";

const client = new LettaClient({ baseUrl: process.env.STELE_URL });

test("a server's life: added, tested, connected, its tools taken, changed, deleted", async () => {
  const peer = await startPeer();
  try {
    const config = { serverName: "node", type: "streamable_http", serverUrl: peer.url };
    assert.ok((await client.tools.addMcpServer(config)).some((server) => server.serverName === "node"));
    assert.equal((await client.tools.listMcpServers()).node.serverUrl, peer.url);
    const offered = await client.tools.listMcpToolsByServer("node");
    assert.deepEqual(offered.map((tool) => tool.name).sort(), ["add", "echo", "fails", "greet"]);
    assert.equal((await client.tools.addMcpTool("node", "echo")).toolType, "external_mcp");
    assert.equal((await client.tools.testMcpServer(config)).status, "success");
    const events = [];
    for await (const event of await client.tools.connectMcpServer(config)) events.push(event.event);
    assert.deepEqual(events, ["connection_attempt", "success"]);
    assert.equal((await client.tools.updateMcpServer("node", { serverUrl: peer.url })).serverName, "node");
    await client.tools.deleteMcpServer("node");
    assert.equal((await client.tools.listMcpServers()).node, undefined);
  } finally {
    await peer.stop();
  }
});
