/** As every-call-of-sessions.test.ts, for the commands that change a session: more drives, fewer drives, rolling back. */
import { describe } from "vitest";
import { itSurvivesEveryCall } from "./every-call.ts";
import { abortedFirst, abortedLater, addedDrive, givenUpDrive } from "./scenarios.ts";

describe("a fault at every call of", () => {
  itSurvivesEveryCall("adding a drive", addedDrive);
  itSurvivesEveryCall("giving up a drive", givenUpDrive);
  itSurvivesEveryCall("aborting a first session", abortedFirst);
  itSurvivesEveryCall("aborting a later session", abortedLater);
});
