// Runs one TypeScript or JavaScript tool. Given to node as text by tool_call.py, inside the walls of the call.
// Descriptor 4 holds the request, 3 takes the answer; both are what tool_call.py describes.
import fs from "node:fs";
import module from "node:module";
import process from "node:process";

const request = JSON.parse(fs.readFileSync(4, "utf8"));
const file = "/tmp/tool.mjs";

function answer(message) {
  const body = Buffer.from(JSON.stringify(message), "utf8");
  const frame = Buffer.alloc(4 + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, 4);
  for (let at = 0; at < frame.length; ) at += fs.writeSync(3, frame, at);
  process.exit(0);
}

function failed(error) {
  const type = error?.constructor?.name ?? typeof error;
  if (error?.stack) fs.writeSync(2, String(error.stack) + "\n");
  answer({ ok: false, type, message: String(error?.message ?? error).slice(0, 1000) });
}

// Node reads types since 22.13; what is plain JavaScript runs on every version.
function withoutTypes(source) {
  if (typeof module.stripTypeScriptTypes === "function") return module.stripTypeScriptTypes(source);
  return source;
}

// By position: the required ones in the schema's order, then the others in its order.
function positional(args, parameters) {
  const properties = Object.keys(parameters?.properties ?? args);
  const required = parameters?.required ?? [];
  const order = [...required, ...properties.filter((name) => !required.includes(name))];
  const values = order.map((name) => args[name]);
  while (values.length > 0 && values[values.length - 1] === undefined) values.pop();
  return values;
}

process.removeAllListeners("warning");
process.on("uncaughtException", failed);
process.on("unhandledRejection", failed);
try {
  globalThis.client = null;
  const exported = request.name ? `\nexport { ${request.name} as __tool };\n` : "";
  if (request.name && !/^[A-Za-z_$][\w$]*$/.test(request.name)) throw new TypeError(`'${request.name}' is no name of a function`);
  fs.writeFileSync(file, withoutTypes(request.source) + exported);
  const tool = await import(file);
  const result = request.name ? await tool.__tool(...positional(request.args, request.schema?.parameters)) : null;
  answer({ ok: true, result: JSON.stringify(result) ?? "null" });
} catch (error) {
  if (error instanceof SyntaxError && typeof module.stripTypeScriptTypes !== "function")
    error.message += ` (this server's Node.js ${process.version} runs plain JavaScript only; types need 22.13 or later)`;
  failed(error);
}
