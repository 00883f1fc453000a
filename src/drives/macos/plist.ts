/** Reads the XML property lists that macOS' tools print (`diskutil ... -plist`). */
import { XMLParser } from "fast-xml-parser";

export type PlistValue = string | number | boolean | PlistValue[] | PlistDictionary;
export interface PlistDictionary {
  [key: string]: PlistValue;
}

/** An element as the parser gives it: its children under its name, text under `#text`. */
type XmlNode = Readonly<Record<string, readonly XmlNode[] | string>>;

const parser = new XMLParser({
  preserveOrder: true,
  parseTagValue: false,
  trimValues: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/** The top dictionary; an empty one when the text is no property list. */
export function parsePlist(xml: string): PlistDictionary {
  try {
    const withoutDoctype = xml.replace(/<!DOCTYPE[^>[]*>/, "");
    const top = (parser.parse(withoutDoctype) as XmlNode[]).find((node) => "plist" in node);
    const value = elements(top?.plist).map(toValue)[0];
    return isDictionary(value) ? value : {};
  } catch {
    return {};
  }
}

export function isDictionary(value: PlistValue | undefined): value is PlistDictionary {
  return typeof value === "object" && !Array.isArray(value);
}

function toValue(node: XmlNode): PlistValue {
  const [tag, children] = Object.entries(node)[0] ?? ["", ""];
  switch (tag) {
    case "dict":
      return toDictionary(elements(children));
    case "array":
      return elements(children).map(toValue);
    case "integer":
    case "real":
      return Number(textOf(children));
    case "true":
      return true;
    case "false":
      return false;
    default:
      return textOf(children);
  }
}

/** Keys and values take turns. */
function toDictionary(nodes: readonly XmlNode[]): PlistDictionary {
  const pairs: [string, PlistValue][] = [];
  for (let index = 0; index + 1 < nodes.length; index += 2) {
    const value = nodes[index + 1];
    if (value !== undefined) pairs.push([textOf(nodes[index]?.key), toValue(value)]);
  }
  return Object.fromEntries(pairs);
}

/** Child elements without the blanks between them. */
function elements(children: readonly XmlNode[] | string | undefined): XmlNode[] {
  return Array.isArray(children) ? children.filter((child: XmlNode) => !("#text" in child)) : [];
}

function textOf(children: readonly XmlNode[] | string | undefined): string {
  if (!Array.isArray(children)) return "";
  return children.map((child: XmlNode) => (typeof child["#text"] === "string" ? child["#text"] : "")).join("");
}
