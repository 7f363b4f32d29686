// @letta-ai/letta-client 0.1.211 against the real binary: folders, their files, and what an agent has of them.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { LettaClient, LettaError } from "@letta-ai/letta-client";

import { cameAbout } from "../waiting.mjs";

const client = new LettaClient({ baseUrl: process.env.STELE_URL });
const text = (name, content) => new File([content], name, { type: "text/plain" });
const status = (code) => (error) => error instanceof LettaError && error.statusCode === code;

async function upload(folder, name, content, request = {}) {
  const made = await client.folders.files.upload(text(name, content), folder.id, request);
  await cameAbout(async () => (await client.folders.files.list(folder.id)).find(({ id }) => id === made.id).processingStatus === "completed");
  return made;
}

test("folders and files are made, listed, read and deleted", async () => {
  const folder = await client.folders.create({ name: `node-${randomUUID()}`, description: "d" });
  assert.deepEqual([(await client.folders.retrieve(folder.id)).description, await client.folders.retrieveByName(folder.name)], ["d", folder.id]);
  assert.equal((await client.folders.modify(folder.id, { description: "changed" })).description, "changed");
  assert.ok((await client.folders.list()).some(({ id }) => id === folder.id));
  const first = await upload(folder, "a.txt", "The treasure is under the oak.");
  const second = await upload(folder, "a.txt", "x");
  assert.deepEqual([first.fileName, second.fileName, second.originalFileName, second.sourceId], ["a.txt", "a_(1).txt", "a.txt", folder.id]);
  assert.equal((await client.folders.files.upload(text("a.txt", "y"), folder.id, { duplicateHandling: "skip" })).id, first.id);
  const listed = await client.folders.files.list(folder.id, { includeContent: true });
  assert.deepEqual(listed.map(({ content }) => content).sort(), ["The treasure is under the oak.", "x"]);
  assert.deepEqual((await client.folders.passages.list(folder.id)).map((each) => each.text).sort(), ["The treasure is under the oak.", "x"]);
  await client.folders.files.delete(folder.id, second.id);
  assert.deepEqual((await client.folders.files.list(folder.id)).map(({ id }) => id), [first.id]);
  await client.folders.delete(folder.id);
  await assert.rejects(client.folders.retrieve(folder.id, { maxRetries: 0 }), status(404));
});

test("an agent has a folder, opens and closes its files, and finds passages", async () => {
  const folder = await client.folders.create({ name: `node-${randomUUID()}`, embedding: "stele/hash" });
  const file = await upload(folder, "b.txt", "hello there");
  const agent = await client.agents.create({ model: "openai/mock-small", embedding: "stele/hash", memoryBlocks: [] });
  const attached = await client.agents.folders.attach(agent.id, folder.id);
  assert.deepEqual(attached.sources.map(({ id }) => id), [folder.id]);
  assert.deepEqual((await client.agents.folders.list(agent.id)).map(({ id }) => id), [folder.id]);
  assert.deepEqual(await client.folders.getAgentsForFolder(folder.id), [agent.id]);
  const open = async () => (await client.agents.listAgentFiles(agent.id)).files.filter(({ isOpen }) => isOpen).map(({ fileId }) => fileId);
  assert.deepEqual(await open(), [file.id]);
  await client.agents.files.close(agent.id, file.id);
  assert.deepEqual(await open(), []);
  assert.deepEqual(await client.agents.files.open(agent.id, file.id), []);
  assert.deepEqual(await client.agents.files.closeAll(agent.id), [`${folder.name}/b.txt`]);
  await client.agents.passages.create(agent.id, { text: "Grace likes green tea", tags: ["drinks"] });
  const found = await client.agents.passages.search(agent.id, { query: "green tea", tags: ["drinks"] });
  assert.deepEqual([found.count, found.results[0].content], [1, "Grace likes green tea"]);
  assert.deepEqual((await client.agents.passages.list(agent.id, { search: "tea" })).map((each) => each.text), ["Grace likes green tea"]);
  assert.deepEqual((await client.agents.folders.detach(agent.id, folder.id)).sources, []);
  await client.folders.delete(folder.id);
});
