// Runs one tool, or one program, in TypeScript or JavaScript. Given to node as text by tool_call.py, inside the walls of
// the call. Descriptor 4 holds the request, 3 takes the answer; both are what tool_call.py and program.py describe.
import fs from "node:fs";
import http from "node:http";
import module from "node:module";
import net from "node:net";
import process from "node:process";
import tls from "node:tls";
import util from "node:util";
import vm from "node:vm";

const request = JSON.parse(fs.readFileSync(4, "utf8"));
const strips = typeof module.stripTypeScriptTypes === "function"; // since Node 22.13
const plainFetch = globalThis.fetch;

function answer(message) {
  const body = Buffer.from(JSON.stringify(message), "utf8");
  const frame = Buffer.alloc(4 + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, 4);
  for (let at = 0; at < frame.length; ) at += fs.writeSync(3, frame, at);
  process.exit(0);
}

function failed(error) {
  const { name, value, traceback } = told(error);
  if (request.program) answer({ ok: true, result: JSON.stringify({ value: null, text: null, error: { name, value, traceback } }) });
  if (traceback) fs.writeSync(2, traceback + "\n");
  answer({ ok: false, type: name, message: value.slice(0, 1000) });
}

function told(error) {
  let value = String(error?.message ?? error);
  if (error?.cause instanceof Error) value += `: ${error.cause.message}`; // fetch says why there alone
  if (error instanceof SyntaxError && request.types && !strips)
    value += ` (this server's Node.js ${process.version} runs plain JavaScript only; types need 22.13 or later)`;
  return { name: error?.constructor?.name ?? typeof error, value, traceback: error?.stack ? util.inspect(error) : "" };
}

function withoutTypes(source) {
  if (!request.types || !strips) return source;
  try {
    return module.stripTypeScriptTypes(source);
  } catch (error) {
    if (error?.code !== "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") throw error;
    return module.stripTypeScriptTypes(source, { mode: "transform" }); // enums and the like
  }
}

const json = (value) => JSON.stringify(value, (_, item) => (typeof item === "bigint" ? String(item) : item)) ?? "null";

// What JSON can't hold at all is told by its text alone.
function held(value) {
  try {
    return JSON.parse(json(value));
  } catch {
    return null;
  }
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

// What `fetch` opens connections with. Node shows the class of its own client nowhere but at the one that it has made.
async function dispatcherThat(connect) {
  await plainFetch("data:,");
  const { constructor: Agent } = globalThis[Symbol.for("undici.globalDispatcher.1")];
  return new Agent({ connect });
}

// Node's own fetch takes no notice of HTTP_PROXY.
function leadFetch(proxy) {
  let dispatcher;
  globalThis.fetch = async (resource, options) => {
    dispatcher ??= dispatcherThat((wanted, done) => tunnel(proxy, wanted, done));
    return plainFetch(resource, { dispatcher: await dispatcher, ...options });
  };
}

function tunnel(proxy, wanted, done) {
  const secure = wanted.protocol === "https:";
  const port = wanted.port || (secure ? 443 : 80);
  const dress = (socket) => {
    if (!secure) return done(null, socket.setNoDelay(true));
    const dressed = tls.connect({ socket, servername: wanted.servername || wanted.hostname, ALPNProtocols: ["http/1.1"] });
    dressed.once("secureConnect", () => done(null, dressed)).once("error", done);
  };
  if (["localhost", "127.0.0.1"].includes(wanted.hostname)) {
    const socket = net.connect(port, wanted.hostname);
    return socket.once("connect", () => dress(socket)).once("error", done);
  }
  const place = `${wanted.hostname}:${port}`;
  const asked = http.request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: place, headers: { Host: place } });
  asked.once("connect", (said, socket, head) => {
    if (said.statusCode === 200) return dress(socket);
    let text = head.toString();
    socket.on("data", (more) => (text += more)).once("close", () => done(new Error(text.trim() || said.statusMessage)));
  });
  asked.once("error", done).end();
}

// `client`, as api_client.py makes it: null where the package is not among the tool's requirements.
async function clientOf(door) {
  const key = process.env.LETTA_API_KEY;
  if ((!key && !door) || !request.source.includes("client")) return null;
  let Letta;
  try {
    ({ default: Letta } = await import("@letta-ai/letta-client"));
  } catch {
    return null;
  }
  if (typeof Letta !== "function") return null; // the package's older generation
  if (key) return new Letta({ apiKey: key, baseURL: process.env.LETTA_BASE_URL });
  const dispatcher = await dispatcherThat((_, done) => {
    const socket = net.connect(door.socket);
    socket.once("connect", () => done(null, socket)).once("error", done);
  });
  return new Letta({ apiKey: door.token, baseURL: "http://stele", fetch: (url, options) => plainFetch(url, { ...options, dispatcher }) });
}

async function called() {
  if (!/^[A-Za-z_$][\w$]*$/.test(request.name)) throw new TypeError(`'${request.name}' is no name of a function`);
  fs.writeFileSync("/tmp/tool.mjs", withoutTypes(request.source) + `\nexport { ${request.name} as __tool };\n`);
  const tool = await import("/tmp/tool.mjs");
  return json(await tool.__tool(...positional(request.args, request.schema?.parameters)));
}

// As a script, which has a last value; what only a module may say is one, and has none.
async function ran() {
  const source = withoutTypes(request.source);
  globalThis.require = module.createRequire("/tmp/");
  let script;
  try {
    script = new vm.Script(source, { filename: "code.js", importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    fs.writeFileSync("/tmp/code.mjs", source);
    await import("/tmp/code.mjs");
  }
  const value = await script?.runInThisContext();
  return json({ value: held(value), text: value === undefined ? null : util.inspect(value) });
}

process.removeAllListeners("warning");
process.on("uncaughtException", failed);
process.on("unhandledRejection", failed);
try {
  const door = request.client;
  delete request.client;
  if (fs.existsSync("/env/node_modules")) fs.symlinkSync("/env/node_modules", "/tmp/node_modules");
  if (process.env.HTTPS_PROXY) leadFetch(new URL(process.env.HTTPS_PROXY));
  globalThis.client = await clientOf(door);
  answer({ ok: true, result: request.program ? await ran() : await called() });
} catch (error) {
  failed(error);
}
