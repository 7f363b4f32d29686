// @letta-ai/letta-client 1.12.1: conversations and search over messages.
import assert from "node:assert/strict";
import { test } from "node:test";

import Letta from "@letta-ai/letta-client";

const client = new Letta({ baseURL: process.env.STELE_URL, apiKey: "any", maxRetries: 0 });
const make = () => client.agents.create({ memory_blocks: [{ label: "human", value: "Name: Grace." }] });
const texts = (messages) => messages.filter((m) => m.message_type.match(/^(user|assistant)_message$/)).map((m) => m.content);

async function all(pages) {
  const found = [];
  for await (const item of pages) found.push(item);
  return found;
}

test("a conversation from its beginning to its end", async () => {
  const agent = await make();
  const made = await client.conversations.create({ agent_id: agent.id, summary: "tea", isolated_block_labels: ["human"] });
  assert.deepEqual(await client.conversations.retrieve(made.id), made);
  assert.equal(made.isolated_block_ids.length, 1);
  assert.deepEqual(texts(await all(await client.conversations.messages.create(made.id, { input: "@say hot" }))), ["hot"]);
  const kinds = [];
  for await (const event of await client.conversations.messages.create(made.id, { input: "@say more" })) kinds.push(event.message_type);
  assert.deepEqual(kinds, ["ping", "assistant_message", "stop_reason", "usage_statistics"]);
  for (const order of ["asc", "desc"]) {
    for (const limit of [1, 2, 50]) {
      const walked = texts(await all(client.conversations.messages.list(made.id, { order, limit })));
      const expected = ["@say hot", "hot", "@say more", "more"];
      assert.deepEqual(walked, order === "asc" ? expected : expected.reverse());
    }
  }
  assert.equal((await client.conversations.update(made.id, { summary: "coffee" })).summary, "coffee");
  assert.deepEqual((await client.conversations.list({ agent_id: agent.id, summary_search: "cof" })).map((c) => c.id), [made.id]);
  const fork = await client.conversations.fork(made.id);
  assert.equal((await client.conversations.messages.compact(fork.id, { compaction_settings: { mode: "all" } })).num_messages_after, 2);
  assert.equal((await client.conversations.retrieve(made.id)).in_context_message_ids.length, 5);
  assert.match(await client.conversations.recompile(made.id), /Grace/);
  assert.equal(await client.conversations.delete(made.id), null);
  await assert.rejects(client.conversations.retrieve(made.id), Letta.NotFoundError);
});

test("a busy conversation is a conflict that names its run", async () => {
  const agent = await make();
  const talk = await client.conversations.create({ agent_id: agent.id });
  const stream = (await client.conversations.messages.create(talk.id, { input: "@sleep 600\n@say late" }))[Symbol.asyncIterator]();
  const ping = (await stream.next()).value;
  await assert.rejects(client.conversations.messages.create(talk.id, { input: "x" }),
    (error) => error instanceof Letta.ConflictError && error.error.run_id === ping.run_id);
  let last;
  for (let next = await stream.next(); !next.done; next = await stream.next()) if (next.value.content) last = next.value.content;
  assert.equal(last, "late");
});

test("search", async () => {
  const agent = await make();
  await client.agents.messages.create(agent.id, { input: "@say yes\nan axolotl" });
  const hits = await client.messages.search({ query: "axolotl", agent_id: agent.id });
  assert.deepEqual(hits.map((hit) => hit.message_type), ["user_message"]);
});
