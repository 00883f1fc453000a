/**
 * Each call that a preparation makes fails once, or is its process's last; then the same command again. Whatever the
 * fault was, the drives end byte for byte as without it, or what is missing was reported.
 */
import { describe } from "vitest";
import { itSurvivesEveryCall } from "./every-call.ts";
import { firstSession, laterSession, resumedSealing, resumedSession } from "./scenarios.ts";

describe("a fault at every call of", () => {
  itSurvivesEveryCall("a first session", firstSession);
  itSurvivesEveryCall("a later session", laterSession);
  itSurvivesEveryCall("a resumed session", resumedSession);
  itSurvivesEveryCall("a resumed sealing", resumedSealing);
});
