/**
 * The forms of PrepImport (second version) and which switches go together in each, as documented: new session, later
 * session, additional drives, resume, abort, and the two lists.
 */
import { UsageError } from "../platform/app-error.ts";
import { COMMON_SWITCHES, OWN_PREP_SWITCHES, PREP_SWITCHES, SHOW_SECRETS } from "./prep-switches.ts";
import { displayName, type SwitchSpec } from "./switch-table.ts";
import type { Switches } from "./switches.ts";

export type PrepForm = "new" | "add-drives" | "resume" | "abort" | "list-drives" | "list-sessions";

interface FormRule {
  title: string;
  needs: readonly string[];
  /** Besides those needed. */
  allows: readonly string[];
}

const ALWAYS = [...COMMON_SWITCHES, SHOW_SECRETS].map((spec) => spec.name);
const OWN = OWN_PREP_SWITCHES.map((spec) => spec.name);
/** Part of what a session is: fixed by its first call. */
const SESSION_OPTIONS = ["include", "exclude", "links", "disposition", "large-blocks", "distribute"];
const RUN_OPTIONS = OWN.filter((name) => !SESSION_OPTIONS.includes(name) && name !== "give-up-drive");

const FORMS: Readonly<Record<PrepForm, FormRule>> = {
  new: {
    title: "a session",
    needs: ["journal", "id", "dataset"],
    allows: [
      "initial-drive-set",
      "logdir",
      "sk",
      "silent-mode",
      "break-lock",
      ...OWN.filter((name) => name !== "give-up-drive"),
    ],
  },
  "add-drives": {
    title: "/AdditionalDriveSet",
    needs: ["journal", "id", "additional-drive-set"],
    allows: ["dataset", "sk", "silent-mode", "break-lock", ...OWN],
  },
  resume: {
    title: "/ResumeSession",
    needs: ["journal", "resume-session"],
    allows: ["id", "sk", "silent-mode", "break-lock", ...RUN_OPTIONS],
  },
  abort: { title: "/AbortSession", needs: ["journal", "id", "abort-session"], allows: ["silent-mode", "break-lock"] },
  "list-drives": { title: "/ListDrives", needs: ["journal", "list-drives"], allows: [] },
  "list-sessions": { title: "/ListCopySessions", needs: ["journal", "list-copy-sessions"], allows: [] },
};

/** Switches that pick a form by themselves; two of them exclude each other. */
const DECIDING: readonly [string, PrepForm][] = [
  ["list-drives", "list-drives"],
  ["list-copy-sessions", "list-sessions"],
  ["abort-session", "abort"],
  ["resume-session", "resume"],
  ["additional-drive-set", "add-drives"],
];

/** The form that was called; throws when switches are missing or do not belong to it. */
export function readForm(switches: Switches): PrepForm {
  const deciding = DECIDING.filter(([name]) => switches.has(name));
  const [first, second] = deciding;
  if (first !== undefined && second !== undefined) {
    throw new UsageError("USAGE_CONFLICT", `${shown(first[0])} and ${shown(second[0])} exclude each other`);
  }
  const form = first?.[1] ?? "new";
  const rule = FORMS[form];
  const missing = rule.needs.filter((name) => !switches.has(name));
  const stray = PREP_SWITCHES.filter(
    (spec) => switches.has(spec.name) && ![...rule.needs, ...rule.allows, ...ALWAYS].includes(spec.name),
  );
  if (stray.length > 0) throw strayError(form, rule, stray);
  if (missing.length > 0) throw missingError(form, rule, missing);
  return form;
}

function strayError(form: PrepForm, rule: FormRule, stray: readonly SwitchSpec[]): UsageError {
  const names = stray.map(displayName).join(", ");
  if (form === "new" && stray.some((spec) => spec.name === "give-up-drive")) {
    return new UsageError(
      "USAGE_MISSING_SWITCH",
      "--give-up-drive needs /AdditionalDriveSet with the drives that take over",
    );
  }
  const allowed = rule.needs.map(shown).join(" ");
  return new UsageError("USAGE_CONFLICT", `${names} cannot be given with ${rule.title}`, {
    hint: form.startsWith("list") ? `write only ${allowed}` : `leave ${names} out; ${rule.title} takes ${allowed}`,
  });
}

function missingError(form: PrepForm, rule: FormRule, missing: readonly string[]): UsageError {
  if (form === "new" && missing.includes("dataset")) {
    return new UsageError("USAGE_MISSING_SWITCH", `nothing says what to do: ${missing.map(shown).join(", ")} missing`, {
      hint: "give /DataSet for a session, or one of /AdditionalDriveSet, /ResumeSession, /AbortSession, /ListDrives, /ListCopySessions",
    });
  }
  return new UsageError("USAGE_MISSING_SWITCH", `${rule.title} needs ${missing.map(shown).join(", ")}`, {
    hint: `${rule.title} takes ${rule.needs.map(shown).join(" ")}`,
  });
}

function shown(name: string): string {
  const spec = PREP_SWITCHES.find((one) => one.name === name);
  if (spec === undefined) return `--${name}`;
  return spec.kind === "flag" ? displayName(spec) : `${displayName(spec)}:<${spec.value}>`;
}
