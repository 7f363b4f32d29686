// @letta-ai/letta-client 1.12.1 against the real binary: folders, their files, and what an agent has of them.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import Letta from "@letta-ai/letta-client";

import { cameAbout } from "../waiting.mjs";

const client = new Letta({ baseURL: process.env.STELE_URL, apiKey: "any", maxRetries: 0 });

async function all(pages) {
  const found = [];
  for await (const item of pages) found.push(item);
  return found;
}

async function upload(folder, name, content, more = {}) {
  const made = await client.folders.files.upload(folder.id, { file: new File([content], name, { type: "text/plain" }), ...more });
  await cameAbout(async () => (await client.folders.files.retrieve(made.id, { folder_id: folder.id })).processing_status === "completed");
  return made;
}

test("folders and files are made, listed, read and deleted", async () => {
  const folder = await client.folders.create({ name: `node-${randomUUID()}`, description: "d" });
  assert.equal((await client.folders.retrieve(folder.id)).description, "d");
  assert.equal((await client.folders.update(folder.id, { description: "changed" })).description, "changed");
  assert.deepEqual((await all(client.folders.list({ name: folder.name }))).map(({ id }) => id), [folder.id]);
  await assert.rejects(client.folders.create({ name: folder.name }), Letta.ConflictError);
  const first = await upload(folder, "a.txt", "The treasure is under the oak.");
  const second = await upload(folder, "a.txt", "x");
  assert.deepEqual([first.file_name, second.file_name, second.original_file_name, second.source_id], ["a.txt", "a_(1).txt", "a.txt", folder.id]);
  assert.equal((await upload(folder, "a.txt", "y", { duplicate_handling: "skip" })).id, first.id);
  assert.equal((await upload(folder, "z.bin", "z", { name: "named.txt" })).file_name, "named.txt");
  const listed = await all(client.folders.files.list(folder.id, { limit: 1, include_content: true }));
  assert.deepEqual(listed.map(({ content }) => content).sort(), ["The treasure is under the oak.", "x", "z"]);
  await client.folders.files.delete(second.id, { folder_id: folder.id });
  await assert.rejects(client.folders.files.retrieve(second.id, { folder_id: folder.id }), Letta.NotFoundError);
  await client.folders.delete(folder.id);
  await assert.rejects(client.folders.retrieve(folder.id), Letta.NotFoundError);
});

test("an agent has a folder, opens and closes its files, and finds passages", async () => {
  const folder = await client.folders.create({ name: `node-${randomUUID()}`, embedding: "stele/hash" });
  const file = await upload(folder, "b.txt", "hello there");
  const agent = await client.agents.create({ model: "openai/mock-small", embedding: "stele/hash", memory_blocks: [] });
  await client.agents.folders.attach(folder.id, { agent_id: agent.id });
  assert.deepEqual((await all(client.agents.folders.list(agent.id))).map(({ id }) => id), [folder.id]);
  assert.deepEqual(await client.folders.agents.list(folder.id), [agent.id]);
  const open = async () => (await all(client.agents.files.list(agent.id, { is_open: true, limit: 1 }))).map(({ file_id }) => file_id);
  assert.deepEqual(await open(), [file.id]);
  await client.agents.files.close(file.id, { agent_id: agent.id });
  assert.deepEqual(await open(), []);
  assert.deepEqual(await client.agents.files.open(file.id, { agent_id: agent.id }), []);
  assert.deepEqual(await client.agents.files.closeAll(agent.id), [`${folder.name}/b.txt`]);
  const [kept] = await client.agents.passages.create(agent.id, { text: "Grace likes green tea", tags: ["drinks"] });
  const found = await client.agents.passages.search(agent.id, { query: "green tea", tags: ["drinks"] });
  assert.deepEqual([found.count, found.results[0].content], [1, "Grace likes green tea"]);
  assert.deepEqual((await client.agents.passages.list(agent.id, { search: "tea" })).map((each) => each.text), ["Grace likes green tea"]);
  const [best] = await client.passages.search({ query: "green tea", agent_id: agent.id });
  assert.deepEqual([best.passage.id, best.passage.text], [kept.id, "Grace likes green tea"]);
  assert.deepEqual(await client.passages.search({ query: "green tea", agent_id: agent.id, tags: ["other"] }), []);
  await client.agents.folders.detach(folder.id, { agent_id: agent.id });
  assert.deepEqual(await all(client.agents.folders.list(agent.id)), []);
  await client.folders.delete(folder.id);
});
