import { expect, it } from "vitest";
import { KINDS } from "./model";
import { rubricOf } from "./rubrics";

it.each(KINDS)("the rule for %s is written", (kind) => {
  expect(rubricOf(kind).length).toBeGreaterThan(0);
});
