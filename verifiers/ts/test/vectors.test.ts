/** Every vector ends as it says, in the very words. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { vectors, verify } from "./vectors.js";

assert.ok(vectors.length > 0, "there are vectors");

for (const vector of vectors) {
  test(vector.name, () => {
    const { code, text } = verify(vector);
    assert.equal(text, vector.says);
    assert.equal(code, vector.exit_code);
    assert.ok(text.includes(vector.reason));
  });
}
