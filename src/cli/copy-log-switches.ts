import { COMMON_SWITCHES } from "./prep-switches.ts";
import type { VerbSpec } from "./switch-table.ts";

export const COPY_LOG_VERBS: readonly VerbSpec[] = [
  {
    name: "copy-log explain",
    summary: "explain a copy log of the service",
    description:
      "Explains an error or verbose log of the service, of any generation: what each entry means, what caused it, what to do next. Exit code 3 when the log tells of errors.",
    arguments: [{ name: "log", description: "the log file", required: true }],
    switches: COMMON_SWITCHES,
    examples: [
      { text: "By cause", line: "waimportexport copy-log explain job1_9WM35C2V_20261121-034307-902_error.xml" },
      { text: "Entry by entry, for a script", line: "waimportexport copy-log explain error.xml --json" },
      { text: "Without colours", line: "waimportexport copy-log explain error.xml --color never" },
    ],
    load: async () => (await import("./commands/copy-log-explain.ts")).copyLogExplain,
  },
];
