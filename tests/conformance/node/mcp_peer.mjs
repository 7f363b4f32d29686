// Starts the MCP server of tests/support/node_mcp for the suites of both client generations.
import { spawn } from "node:child_process";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../support/node_mcp/server.mjs", import.meta.url));

const listens = (port) =>
  new Promise((resolve) => {
    const probe = connect(port, "127.0.0.1", () => resolve(probe.destroy() && true));
    probe.on("error", () => resolve(false));
  });

/** The server's address once it listens, and how to end it. */
export async function startPeer(kind = "streamable-http", ...words) {
  const port = Number(process.env.STELE_MCP_PORT);
  const child = spawn(process.execPath, [SCRIPT, kind, String(port), ...words], { stdio: "inherit" });
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error("the MCP server did not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const ended = new Promise((resolve) => child.on("exit", resolve));
  return { url: `http://127.0.0.1:${port}/mcp`, stop: () => (child.kill(), ended) };
}
