// Runs the script of the API's reference in as much of a document as it needs, and tells what it has made of it.
//   node reference_dom.js <view> <openapi.json> <script.js>
"use strict";
const fs = require("fs");
const [view, documentFile, scriptFile] = process.argv.slice(2);
const known = {};

class Element {
  constructor(tag) { Object.assign(this, { tagName: tag.toUpperCase(), children: [], listeners: {}, dataset: {}, hidden: false, open: false, value: "", textContent: "" }); }
  append(...children) { this.children.push(...children); }
  replaceChildren(...children) { this.children = children; }
  setAttribute(name, value) {
    if (name.startsWith("data-")) this.dataset[name.slice(5)] = value;
    if (name === "id") known[value] = this;
    if (name === "hidden") this.hidden = true;
  }
  addEventListener(name, act) { (this.listeners[name] ||= []).push(act); }
  dispatch(name, event) { for (const act of this.listeners[name] || []) act(event); }
  querySelectorAll(tag) { return this.children.flatMap((each) => each instanceof Element ? [...(each.tagName === tag.toUpperCase() ? [each] : []), ...each.querySelectorAll(tag)] : []); }
  scrollIntoView() { this.scrolled = true; }
}

for (const id of ["content", "contents", "key", "version", "search", "state"]) known[id] = new Element("div");
global.document = { createElement: (tag) => new Element(tag), createTextNode: (text) => ({ text }), getElementById: (id) => known[id] || null, body: new Element("body") };
document.body.dataset.view = view;
global.location = { hash: "#operation-agents.create" };
global.window = { addEventListener() {} };
global.fetch = async () => ({ ok: true, json: async () => JSON.parse(fs.readFileSync(documentFile)) });
eval(fs.readFileSync(scriptFile, "utf8"));

setTimeout(() => {
  const entries = known.content.querySelectorAll("details");
  for (const entry of entries) {
    entry.open = true;
    entry.dispatch("toggle");
  }
  const told = { entries: entries.length, forms: known.content.querySelectorAll("form").length, empty: entries.filter((each) => each.children.length !== 2).length, scrolled: !!known["operation-agents.create"].scrolled };
  known.search.dispatch("input", { target: { value: "blocks.retrieve /v1/BLOCKS" } });
  told.found = entries.filter((each) => !each.hidden).map((each) => each.dataset.words);
  known.search.dispatch("input", { target: { value: "no such thing" } });
  told.nothing = known.found.textContent;
  console.log(JSON.stringify(told));
}, 0);
