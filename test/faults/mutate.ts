/** Damage to good bytes, as it happens on disks and as somebody would do it on purpose. */
import fc from "fast-check";

interface Edit {
  kind: "flip" | "set" | "cut" | "insert" | "repeat" | "zero" | "swap";
  /** Where, as a share of the length. */
  at: number;
  length: number;
  bytes: Uint8Array;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom("flip", "set", "cut", "insert", "repeat", "zero", "swap"),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.oneof(fc.nat(4), fc.nat(600)),
  bytes: fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 12 }), tokens()),
});

/** Pieces of our formats, and what breaks parsers. */
function tokens(): fc.Arbitrary<Uint8Array> {
  const texts = [
    "\0",
    "\r\n",
    '"',
    '""',
    ",",
    ";",
    "\ufeff",
    "\ud800",
    "\u2028",
    "..\\..\\",
    "../../",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>",
    "&a;",
    "&#0;",
    "<![CDATA[",
    "</Blob>",
    "<Blob>",
    "[EndUpdateRecord]\n",
    "[BeginValue]",
    "ActivityId: RecordCheck\n",
    "SessionState: Completed\n",
    "DriveStep: Sealed\n",
    "-1",
    "1e309",
    "9007199254740993",
    "99999999999999999999999999",
    "null",
    "{}",
    "[[[[[[[[",
    "__proto__",
    "=cmd()",
  ];
  return fc.constantFrom(...texts.map((text) => Buffer.from(text)));
}

/** The bytes with one to four edits, or other bytes altogether. */
export function damaged(good: Buffer): fc.Arbitrary<Buffer> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => edits.reduce(apply, good)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  );
}

function apply(bytes: Buffer, { kind, at, length, bytes: other }: Edit): Buffer {
  const start = Math.floor(at * bytes.length);
  const end = Math.min(bytes.length, start + length);
  const [before, piece, after] = [bytes.subarray(0, start), bytes.subarray(start, end), bytes.subarray(end)];
  switch (kind) {
    case "flip": {
      const flipped = Buffer.from(bytes);
      if (start < bytes.length) flipped[start] = (flipped[start] as number) ^ (1 << (length % 8));
      return flipped;
    }
    case "set":
      return Buffer.concat([before, other, bytes.subarray(start + other.length)]);
    case "cut":
      return Buffer.concat(length % 3 === 0 ? [before] : [before, after]);
    case "insert":
      return Buffer.concat([before, other, piece, after]);
    case "repeat":
      return Buffer.concat([before, piece, piece, piece, after]);
    case "zero":
      return Buffer.concat([before, Buffer.alloc(piece.length), after]);
    case "swap":
      return Buffer.concat([after, piece, before]);
  }
}
