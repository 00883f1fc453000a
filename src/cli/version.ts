import { readFileSync } from "node:fs";

/** From package.json, which lies one level above both dist/ and src/. */
export function readVersion(): string {
  for (const place of ["../package.json", "../../package.json"]) {
    try {
      const parsed = JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8")) as {
        name?: string;
        version?: string;
      };
      if (parsed.name === "waimportexport") return parsed.version ?? "0.0.0";
    } catch {
      // Not there: the other layout.
    }
  }
  return "0.0.0";
}
