import type { SwitchSpec } from "./switch-table.ts";

type Given = string | boolean | readonly string[] | undefined;

/** The switches of one call by the name they have in the table of verbs. */
export class Switches {
  readonly #given: ReadonlyMap<string, Given>;

  constructor(given: ReadonlyMap<string, Given>) {
    this.#given = given;
  }

  has(name: string): boolean {
    const value = this.#given.get(name);
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
  }

  flag(name: string): boolean {
    return this.#given.get(name) === true;
  }

  value(name: string): string | undefined {
    const value = this.#given.get(name);
    return typeof value === "string" ? value : undefined;
  }

  values(name: string): readonly string[] {
    const value = this.#given.get(name);
    return Array.isArray(value) ? value : [];
  }

  /** Those of `specs` that were given. */
  givenOf(specs: readonly SwitchSpec[]): SwitchSpec[] {
    return specs.filter((spec) => this.has(spec.name));
  }
}

/** The property under which commander keeps an option: `drive-id` becomes `driveId`. */
export function optionProperty(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Reads commander's record back into the names of the table. */
export function switchesFrom(specs: readonly SwitchSpec[], record: Readonly<Record<string, unknown>>): Switches {
  const given = new Map<string, Given>();
  for (const spec of specs) given.set(spec.name, record[optionProperty(spec.name)] as Given);
  return new Switches(given);
}
