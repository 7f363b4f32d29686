// @letta-ai/letta-client 0.1.211 against the real binary: projects and templates.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LettaClient } from "@letta-ai/letta-client";

const client = new LettaClient({ baseUrl: process.env.STELE_URL, token: "any", project: "default-project" });

test("a template is made, deployed, saved, migrated to and deleted", async () => {
  const { projects } = await client.projects.list({ name: "default" });
  assert.ok(projects.some((project) => project.slug === "default-project"));
  const author = await client.agents.create({ memoryBlocks: [{ label: "human", value: "{{name}}" }] });
  const made = await client.templates.createtemplate("default-project", { type: "agent", agentId: author.id, name: `Older-${author.id.slice(-6)}` });
  const deployed = await client.templates.agents.create("default-project", `${made.name}:latest`, { memoryVariables: { name: "Ada" } });
  assert.equal(deployed.agents.length, 1);
  const draft = await client.templates.gettemplatesnapshot("default-project", `${made.name}:current`);
  assert.equal(draft.blocks[0].value, "{{name}}");
  await client.agents.modify(author.id, { system: "Second" });
  await client.agents.templates.createVersion(author.id);
  assert.equal((await client.templates.listtemplateversions("default-project", made.name)).totalCount, 2);
  await client.agents.templates.migrate(deployed.agents[0].id, { toTemplate: `${made.name}:2`, preserveCoreMemories: true });
  assert.equal((await client.agents.retrieve(deployed.agents[0].id)).system, "Second");
  assert.equal((await client.templates.deletetemplate("default-project", made.name)).success, true);
});
