// @letta-ai/letta-client 1.12.1 against the real binary: archives and passages.
import assert from "node:assert/strict";
import { test } from "node:test";

import Letta from "@letta-ai/letta-client";

const client = new Letta({ baseURL: process.env.STELE_URL, apiKey: "any", maxRetries: 0 });

test("an archive is made, shared, searched and deleted", async () => {
  const archive = await client.archives.create({ name: "node shelf", embedding: "stele/hash" });
  const one = await client.archives.passages.create(archive.id, { text: "The colour of the door is green.", tags: ["house"], created_at: "2021-05-06T00:00:00Z" });
  assert.equal(one.embedding.length, 4096);
  const many = await client.archives.passages.createMany(archive.id, { passages: [{ text: "p1" }, { text: "p2" }] });
  assert.deepEqual(many.map((p) => p.text), ["p1", "p2"]);

  const agent = await client.agents.create({ memory_blocks: [] });
  await client.agents.archives.attach(archive.id, { agent_id: agent.id });
  assert.equal((await client.agents.passages.list(agent.id)).length, 3);
  const found = await client.agents.passages.search(agent.id, { query: "door", tags: ["house"], tag_match_mode: "all", end_datetime: "2021-05-06" });
  assert.equal(found.results[0].id, one.id);
  const hits = await client.passages.search({ query: "green door", archive_id: archive.id, limit: 1 });
  assert.equal(hits[0].passage.id, one.id);
  assert.ok(hits[0].score > 0);

  const own = (await client.agents.passages.create(agent.id, { text: "kept by the agent" }))[0];
  assert.equal(own.archive_id, archive.id);
  await client.agents.passages.delete(own.id, { agent_id: agent.id });
  await client.archives.passages.delete(one.id, { archive_id: archive.id });
  await client.agents.archives.detach(archive.id, { agent_id: agent.id });
  assert.equal((await client.archives.update(archive.id, { name: "node shelf 2" })).name, "node shelf 2");
  await client.archives.delete(archive.id);
  await assert.rejects(client.archives.retrieve(archive.id), Letta.NotFoundError);
});
