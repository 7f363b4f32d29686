// The API's reference out of /openapi.json. The view "try" lets operations be called, "read" shows all of them open, for
// reading and printing. Everything comes from this server; a key stays in this page.
"use strict";

const make = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  made.append(...children);
  return made;
};
const content = document.getElementById("content");
const contents = document.getElementById("contents");
const key = document.getElementById("key");
const reading = document.body.dataset.view === "read";
const verbs = ["get", "post", "put", "patch", "delete", "options"];

const nameOf = (reference) => reference.split("/").pop();
const resourceOf = (path) => path.replace(/^\/v1\//, "").replace(/^\//, "").split("/")[0] || "server";

function typeOf(schema) {
  if (!schema) return document.createTextNode("any");
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    return make("a", { href: `#schema-${name}` }, name);
  }
  const several = schema.anyOf || schema.oneOf;
  if (several) {
    const all = make("span");
    several.forEach((each, i) => all.append(i ? " or " : "", typeOf(each)));
    return all;
  }
  if (schema.type === "array") return make("span", {}, "list of ", typeOf(schema.items));
  if (schema.enum) return make("code", {}, schema.enum.map((word) => JSON.stringify(word)).join(" | "));
  const type = [].concat(schema.type || "any").join(" or ");
  return document.createTextNode(schema.format ? `${type} (${schema.format})` : type);
}

function table(rows, heads) {
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))))));
}

function properties(schema) {
  const needed = new Set(schema.required || []);
  const rows = Object.entries(schema.properties || {}).map(([name, type]) => [make("code", {}, name), typeOf(type), needed.has(name) ? "needed" : type.default !== undefined ? `default ${JSON.stringify(type.default)}` : ""]);
  return rows.length ? table(rows, ["member", "type", ""]) : make("p", {}, typeOf(schema));
}

// A small body to begin with: what is needed, and nothing else.
function example(document_, schema, depth = 0) {
  if (!schema || depth > 5) return null;
  if (schema.$ref) return example(document_, document_.components.schemas[nameOf(schema.$ref)], depth + 1);
  const several = schema.anyOf || schema.oneOf;
  if (several) return example(document_, several[0], depth + 1);
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (schema.type === "array") return [example(document_, schema.items, depth + 1)];
  if (schema.properties) return Object.fromEntries((schema.required || []).map((name) => [name, example(document_, schema.properties[name], depth + 1)]));
  return { string: "", integer: 0, number: 0, boolean: false, object: {} }[schema.type] ?? null;
}

async function send(path, verb, form, output) {
  const values = new FormData(form);
  let url = path;
  const query = new URLSearchParams();
  for (const [field, value] of values) {
    const [place, name] = field.split(/:(.*)/);
    if (place === "path") url = url.replace(`{${name}}`, value.split("/").map(encodeURIComponent).join("/"));
    if (place === "query" && value !== "") query.append(name, value);
  }
  if ([...query].length) url += `?${query}`;
  const headers = {};
  if (key.value) headers.Authorization = `Bearer ${key.value}`;
  const body = values.get("body");
  if (body) headers["Content-Type"] = "application/json";
  output.textContent = "…";
  try {
    const answer = await fetch(url, { method: verb.toUpperCase(), headers, body: body || undefined });
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* no JSON: as it is */ }
    output.textContent = `${answer.status} ${answer.statusText}\n\n${shown}`;
  } catch (failure) {
    output.textContent = String(failure);
  }
}

function tryForm(document_, path, verb, operation) {
  const output = make("pre", { "aria-live": "polite", hidden: true });
  const form = make("form", { onsubmit: (event) => { event.preventDefault(); output.hidden = false; send(path, verb, form, output); } });
  for (const parameter of operation.parameters || [])
    form.append(make("label", {}, `${parameter.name} `, make("input", { name: `${parameter.in}:${parameter.name}`, required: parameter.required === true })));
  const body = operation.requestBody?.content?.["application/json"];
  if (body) {
    const area = make("textarea", { name: "body", spellcheck: "false", "aria-label": "Body" });
    area.value = JSON.stringify(example(document_, body.schema), null, 2);
    form.append(area);
  }
  form.append(make("button", {}, "Send"));
  return make("div", {}, make("h3", {}, "Try it"), form, output);
}

function inside(document_, path, verb, operation) {
  const box = make("div");
  const parameters = operation.parameters || [];
  if (parameters.length) box.append(make("h3", {}, "Parameters"), table(parameters.map((each) => [make("code", {}, each.name), typeOf(each.schema), `${each.in}${each.required ? ", needed" : ""}`]), ["name", "type", "in"]));
  for (const [type, { schema }] of Object.entries(operation.requestBody?.content || {}))
    box.append(make("h3", {}, "Body"), make("p", {}, schema ? typeOf(schema) : make("code", {}, type), operation.requestBody.required ? "" : " (may be left out)"));
  const answers = Object.entries(operation.responses || {}).map(([status, answer]) => {
    const [type, told] = Object.entries(answer.content || {})[0] || [];
    return [status, told?.schema ? typeOf(told.schema) : make("code", {}, type || "–"), answer.description];
  });
  box.append(make("h3", {}, "Answers"), table(answers, ["status", "body", ""]));
  if (operation.security?.length === 0) box.append(make("p", {}, "Needs no key."));
  if (!reading) box.append(tryForm(document_, path, verb, operation));
  return box;
}

// What is inside is made when it is opened: there are hundreds.
function entry(id, head, fill, words) {
  const made = make("details", { id, "data-words": words.toLowerCase() }, make("summary", {}, ...head));
  const open = () => { if (made.open && made.children.length === 1) made.append(fill()); };
  made.addEventListener("toggle", open);
  if (reading) { made.open = true; open(); }
  return made;
}

function show(document_) {
  document.getElementById("version").textContent = document_.info.version;
  const resources = new Map();
  for (const [path, operations] of Object.entries(document_.paths))
    for (const verb of verbs.filter((each) => operations[each])) {
      const operation = operations[verb];
      const head = [make("span", { class: "verb" }, verb.toUpperCase()), make("code", {}, path), make("span", { class: "name" }, operation.operationId)];
      const made = entry(`operation-${operation.operationId}`, head, () => inside(document_, path, verb, operation), `${verb} ${path} ${operation.operationId}`);
      const resource = resourceOf(path);
      if (!resources.has(resource)) resources.set(resource, []);
      resources.get(resource).push(made);
    }
  const schemas = Object.entries(document_.components.schemas).map(([name, schema]) => entry(`schema-${name}`, [make("code", {}, name)], () => make("div", {}, properties(schema)), `schema ${name}`));
  content.replaceChildren();
  const list = make("ul");
  for (const [name, entries] of [...[...resources].sort((a, b) => a[0].localeCompare(b[0])), ["schemas", schemas]]) {
    content.append(make("section", { id: `resource-${name}` }, make("h2", {}, name), ...entries));
    list.append(make("li", {}, make("a", { href: `#resource-${name}` }, `${name} (${entries.length})`)));
  }
  contents.replaceChildren(list);
  content.append(make("p", { role: "status", id: "found" }));
  follow();
}

function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const section of content.querySelectorAll("section")) {
    let any = false;
    for (const each of section.querySelectorAll("details")) {
      each.hidden = !words.every((word) => each.dataset.words.includes(word));
      if (!each.hidden) { any = true; found += 1; }
    }
    section.hidden = !any;
  }
  const told = document.getElementById("found");
  if (told) told.textContent = found ? "" : `Nothing is called "${text}".`;
}

function follow() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.hidden) { document.getElementById("search").value = ""; search(""); }
  if (target.tagName === "DETAILS") target.open = true;
  target.scrollIntoView();
}

async function load() {
  const headers = key.value ? { Authorization: `Bearer ${key.value}` } : {};
  const answer = await fetch("/openapi.json", { headers });
  if (answer.ok) return show(await answer.json());
  document.getElementById("state").textContent = answer.status === 401 ? "This server asks for a key: enter it above and press Enter." : `/openapi.json answered ${answer.status}.`;
}

document.getElementById("search").addEventListener("input", (event) => search(event.target.value));
key.addEventListener("change", () => { if (document.getElementById("state")) load(); });
window.addEventListener("hashchange", follow);
load();
