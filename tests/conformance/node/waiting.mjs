// Waits for something that will come about, and fails if it does not.
import assert from "node:assert/strict";

export async function cameAbout(condition, milliseconds = 20_000) {
  for (const deadline = Date.now() + milliseconds; !(await condition()); await new Promise((resolve) => setTimeout(resolve, 20)))
    assert.ok(Date.now() < deadline, "it did not come about in time");
}
