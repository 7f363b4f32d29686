// A server made with the official TypeScript SDK: `server.mjs <stdio|sse|streamable-http> [port] [json] [stateless]`.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";

const [kind, port, ...words] = process.argv.slice(2);
const text = (value) => ({ content: [{ type: "text", text: value }] });

function make() {
  const server = new McpServer({ name: "node", version: "1" });
  const address = z.object({ city: z.string(), zip: z.string().nullable().optional() });
  const person = z.object({ name: z.string(), age: z.number().int().default(0), address });
  server.registerTool("echo", { description: "Says it again.", inputSchema: { message: z.string() } }, ({ message }) => text(`Echo: ${message}`));
  server.registerTool("add", { description: "Adds two numbers.", inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => text(`Result: ${(a + b).toFixed(1)}`));
  server.registerTool("greet", { description: "Greets a person.", inputSchema: { person } }, ({ person: { name, address: { city } } }) => text(`${name} of ${city}`));
  server.registerTool("fails", { description: "Always fails." }, () => {
    throw new Error("it went wrong");
  });
  return server;
}

async function body(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return pieces.length ? JSON.parse(Buffer.concat(pieces).toString()) : undefined;
}

if (kind === "stdio") {
  await make().connect(new StdioServerTransport());
} else {
  const sessions = new Map();
  const streamable = async (request, response) => {
    const message = await body(request);
    let transport = sessions.get(request.headers["mcp-session-id"]);
    if (!transport && request.headers["mcp-session-id"]) return response.writeHead(404).end();
    if (!transport) {
      const own = words.includes("stateless") ? undefined : () => randomUUID();
      transport = new StreamableHTTPServerTransport({ sessionIdGenerator: own, enableJsonResponse: words.includes("json"), onsessioninitialized: (id) => sessions.set(id, transport) });
      await make().connect(transport);
    }
    await transport.handleRequest(request, response, message);
  };
  const events = async (request, response) => {
    if (request.method === "GET") {
      const transport = new SSEServerTransport("/messages", response);
      sessions.set(transport.sessionId, transport);
      return make().connect(transport);
    }
    const transport = sessions.get(new URL(request.url, "http://x").searchParams.get("sessionId"));
    return transport ? transport.handlePostMessage(request, response) : response.writeHead(404).end();
  };
  createServer((request, response) => {
    (kind === "sse" ? events : streamable)(request, response).catch((error) => response.headersSent || response.writeHead(500).end(String(error)));
  }).listen(Number(port), "127.0.0.1");
}
