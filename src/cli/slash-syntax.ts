/**
 * Reads a command line in the original's spelling (`/name:value`, `/name`) or as long options (`--name value`,
 * `--name=value`) into one form for commander. Names compare without regard to case and hyphens. Where paths begin with
 * `/`, an argument is a switch only if its name is a known switch of the verb.
 */
import { UsageError } from "../platform/app-error.ts";
import { splitGlued } from "./glued-arguments.ts";
import { nearest } from "./nearest.ts";
import { displayName, findSwitch, type SwitchSpec, type VerbSpec } from "./switch-table.ts";

export interface CommandLine {
  /** `--name`, `--name=value`, then `--` and the other arguments. */
  args: string[];
  warnings: string[];
}

/** One switch as it was typed. */
interface Typed {
  spec: SwitchSpec;
  value: string | undefined;
}

export function parseSwitches(argv: readonly string[], verb: VerbSpec, platform: string): CommandLine {
  const unglued = splitGlued(argv, verb.switches, platform);
  const reader = new Reader(unglued.args, verb, platform, unglued.warnings);
  reader.readAll();
  const wantsHelp = reader.typed.some(({ spec }) => spec.name === "help");
  if (wantsHelp) return { args: ["--help"], warnings: [] };
  const switches = reader
    .withoutRepetitions()
    .map(({ spec, value }) => (value === undefined ? `--${spec.name}` : `--${spec.name}=${checkChoice(spec, value)}`));
  checkArguments(reader.others, verb, platform);
  return { args: [...switches, "--", ...reader.others], warnings: reader.warnings };
}

class Reader {
  readonly typed: Typed[] = [];
  readonly others: string[] = [];
  readonly warnings: string[];
  readonly #args: readonly string[];
  readonly #verb: VerbSpec;
  readonly #platform: string;
  #next = 0;

  constructor(args: readonly string[], verb: VerbSpec, platform: string, warnings: readonly string[]) {
    this.#args = args;
    this.#verb = verb;
    this.#platform = platform;
    this.warnings = [...warnings];
  }

  readAll(): void {
    while (this.#next < this.#args.length) {
      const arg = this.#args[this.#next++] ?? "";
      if (arg === "--") {
        this.others.push(...this.#args.slice(this.#next));
        return;
      }
      if (arg.startsWith("--")) this.#readLong(arg);
      else if (arg === "-h" || arg === "-?") this.#add(this.#known("help"), undefined);
      else if (arg.length > 1 && arg.startsWith("-")) throw this.#unknown(arg);
      else if (arg.startsWith("/")) this.#readSlash(arg);
      else this.#readBare(arg);
    }
  }

  #readLong(arg: string): void {
    const [, name = "", assigned] = /^--([^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    const spec = findSwitch(this.#verb.switches, name);
    if (spec === undefined) throw this.#unknown(`--${name.split(":", 1)[0]}`);
    if (spec.kind === "flag" || assigned !== undefined) {
      this.#add(spec, assigned);
      return;
    }
    const following = this.#args[this.#next];
    if (following === undefined || this.#isSwitch(following))
      throw missingValue(spec, `--${spec.name} <${spec.value}>`);
    this.#next++;
    this.#add(spec, following);
  }

  #readSlash(arg: string): void {
    const [, name = "", assigned] = /^\/([^:=]*)(?::(.*))?/s.exec(arg) ?? [];
    const spec = findSwitch(this.#verb.switches, name);
    if (spec === undefined || arg[name.length + 1] === "=") {
      const isPath = this.#platform !== "win32" && this.others.length < this.#verb.arguments.length;
      if (isPath && spec === undefined) this.others.push(arg);
      else throw this.#unknown(`/${name}`, spec);
    } else this.#add(spec, assigned);
  }

  /** Published examples print `DataSet:x.csv` and `blobtype:PageBlob` without the slash. One letter is a drive. */
  #readBare(arg: string): void {
    const [, name, assigned] = /^([A-Za-z][A-Za-z-]+):(.*)$/s.exec(arg) ?? [];
    const spec = name === undefined ? undefined : findSwitch(this.#verb.switches, name);
    if (spec === undefined || spec.kind === "flag") {
      this.others.push(arg);
      return;
    }
    this.warnings.push(`"${name}:" was read as ${displayName(spec)}: (its slash is missing)`);
    this.#add(spec, assigned);
  }

  #add(spec: SwitchSpec, value: string | undefined): void {
    if (spec.kind === "flag") {
      if (value !== undefined)
        throw new UsageError("USAGE_BAD_VALUE", `${displayName(spec)} takes no value`, {
          hint: `write only ${displayName(spec)}`,
        });
    } else if (value === undefined || value === "") {
      throw missingValue(
        spec,
        `${displayName(spec)}:<${spec.value}> without a blank, or --${spec.name} <${spec.value}>`,
      );
    }
    this.typed.push({ spec, value });
  }

  /** Documented lines print `/j:` and `/id:` twice: the same value again is accepted, another one is not. */
  withoutRepetitions(): Typed[] {
    const kept: Typed[] = [];
    const first = new Map<SwitchSpec, Typed>();
    for (const typed of this.typed) {
      const earlier = first.get(typed.spec);
      if (earlier === undefined || typed.spec.kind === "repeatable") {
        first.set(typed.spec, typed);
        kept.push(typed);
      } else if (earlier.value === typed.value) {
        this.warnings.push(`${displayName(typed.spec)} was given twice`);
      } else {
        const values = typed.spec.secret ? "" : `: "${earlier.value}" and "${typed.value}"`;
        throw new UsageError(
          "USAGE_CONFLICT",
          `${displayName(typed.spec)} was given twice with different values${values}`,
        );
      }
    }
    return kept;
  }

  #known(name: string): SwitchSpec {
    const spec = findSwitch(this.#verb.switches, name);
    if (spec === undefined) throw this.#unknown(`--${name}`);
    return spec;
  }

  #isSwitch(arg: string): boolean {
    const name = /^(?:--([^=]+)|\/([^:]+)(?=:))/.exec(arg);
    return name !== null && findSwitch(this.#verb.switches, name[1] ?? name[2] ?? "") !== undefined;
  }

  #unknown(written: string, meant?: SwitchSpec): UsageError {
    return unknownSwitch(written, this.#verb, meant);
  }
}

function unknownSwitch(written: string, verb: VerbSpec, meant?: SwitchSpec): UsageError {
  const message = `unknown switch "${written}" for ${verb.original ?? verb.name}`;
  if (meant !== undefined) {
    return new UsageError("USAGE_UNKNOWN_SWITCH", message, { hint: `write ${displayName(meant)}:<${meant.value}>` });
  }
  const slash = written.startsWith("/");
  const names = verb.switches
    .filter((spec) => !spec.hidden)
    .flatMap((spec) => [spec.name, ...(spec.slash === undefined ? [] : [spec.slash])]);
  const near = nearest(written.replace(/^[/-]+/, ""), names);
  const spec = near === undefined ? undefined : findSwitch(verb.switches, near);
  if (spec === undefined) return new UsageError("USAGE_UNKNOWN_SWITCH", message);
  return new UsageError("USAGE_UNKNOWN_SWITCH", message, {
    hint: `did you mean ${slash ? `/${spec.slash ?? spec.name}` : `--${spec.name}`}?`,
    facts: { suggestion: spec.name },
  });
}

function missingValue(spec: SwitchSpec, form: string): UsageError {
  return new UsageError("USAGE_MISSING_VALUE", `${displayName(spec)} has no value`, { hint: `write it as ${form}` });
}

function checkChoice(spec: SwitchSpec, value: string): string {
  if (spec.choices === undefined || spec.choices.includes(value)) return value;
  const otherCase = spec.choices.find((choice) => choice.toLowerCase() === value.toLowerCase());
  if (otherCase !== undefined && !spec.caseSensitive) return otherCase;
  const allowed = spec.choices.join(", ");
  throw new UsageError("USAGE_BAD_VALUE", `${displayName(spec)} cannot be "${value}"; allowed are ${allowed}`, {
    hint: otherCase === undefined ? `use one of ${allowed}` : `upper and lower case matter here: write ${otherCase}`,
  });
}

function checkArguments(others: readonly string[], verb: VerbSpec, platform: string): void {
  const excess = others[verb.arguments.length];
  if (excess !== undefined) {
    if (/^\/[A-Za-z?]/.test(excess) && platform !== "win32")
      throw unknownSwitch(excess.split(":", 1)[0] ?? excess, verb);
    throw new UsageError("USAGE_UNKNOWN_SWITCH", `unexpected argument "${excess}" for ${verb.original ?? verb.name}`);
  }
  const missing = verb.arguments.find((argument, i) => argument.required && others[i] === undefined);
  if (missing !== undefined) {
    throw new UsageError("USAGE_MISSING_SWITCH", `${verb.name} needs <${missing.name}>: ${missing.description}`);
  }
}
