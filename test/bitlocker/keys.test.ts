/** Password, stretching and sealed keys against published vectors and a volume that Windows made. */
import { describe, expect, test } from "vitest";
import { encodeKey, KeyMethod, parseDatums, parseKey } from "../../src/bitlocker/datum.ts";
import { stretchKey } from "../../src/bitlocker/key-stretch.ts";
import { keyFromBytes, keyToBytes } from "../../src/bitlocker/recovery-password.ts";
import { NonceCounter, openDatum, sealDatum } from "../../src/bitlocker/sealed-datum.ts";
import { hex, MASTER_KEY, PASSWORD, RECOVERY_KEY, SALT, STRETCHED, TIME, WINDOWS } from "./vectors.ts";

describe("the recovery password", () => {
  test.each([
    ["ours", PASSWORD, RECOVERY_KEY],
    ["Windows'", WINDOWS.password, WINDOWS.recoveryKey],
    ["the largest", Array(8).fill("720885").join("-"), Buffer.alloc(16, 0xff)],
  ])("stands for 16 bytes: %s", (_, password, bytes) => {
    expect(keyToBytes(password)).toEqual(bytes);
    expect(keyFromBytes(bytes)).toBe(password);
  });

  test("is taken in the form without hyphens", () => {
    expect(keyToBytes(PASSWORD.replaceAll("-", ""))).toEqual(RECOVERY_KEY);
  });
});

describe("stretching", () => {
  test.each([
    [1, "3237cc41161fff64c44fe33a6a4807521ba6d1bda0c51e9b13e4b25e41be2553"],
    [2, "14922d8a7fb613c58666efe0870dce064948147be4becedddf448ac1007393e2"],
    [1000, "ce7f859e647ccdf2de93b60e46979e17eec683d4356d1e9499719510c6ec2d00"],
    [0x100000, STRETCHED.toString("hex")],
  ])("%s rounds", (rounds, expected) => {
    expect(stretchKey(RECOVERY_KEY, SALT, rounds).toString("hex")).toBe(expected);
  });

  test("a key of Windows", () => {
    expect(stretchKey(WINDOWS.recoveryKey, WINDOWS.salt)).toEqual(WINDOWS.stretched);
  });
});

describe("sealed keys", () => {
  test("sealing gives the published bytes", () => {
    const datum = sealDatum(
      0,
      STRETCHED,
      new NonceCounter(TIME).take(),
      encodeKey(KeyMethod.VolumeMasterKey, MASTER_KEY),
    );
    expect(datum.subarray(8)).toEqual(
      hex(`00c08976453cda0102000000 66d2f3fadca781bf1cb17bdf763dad55
        c1e588fd8b4bfeaf8f7bce409011398bea4eab5e60fe147dfe332c8063387b078aba0467edb4161349679f91`),
    );
  });

  test("opening one of Windows gives the volume master key", () => {
    const plain = openDatum(Buffer.concat([WINDOWS.nonce, WINDOWS.tag, WINDOWS.sealed]), WINDOWS.stretched);
    expect(plain).toEqual(WINDOWS.plain);
    expect(parseKey(plain)).toEqual({ method: KeyMethod.VolumeMasterKey, key: WINDOWS.plain.subarray(12) });
  });

  test("the plain datum is zeroed after sealing", () => {
    const plain = encodeKey(KeyMethod.VolumeMasterKey, MASTER_KEY);
    sealDatum(0, STRETCHED, new NonceCounter(TIME).take(), plain);
    expect(plain.every((byte) => byte === 0)).toBe(true);
  });

  test("a wrong key, a flipped bit and a missing tag are told apart from a damaged key", () => {
    const sealed = Buffer.concat([WINDOWS.nonce, WINDOWS.tag, WINDOWS.sealed]);
    expect(() => openDatum(sealed, STRETCHED)).toThrow("the key does not fit");
    const flipped = Buffer.from(sealed);
    flipped[40] = (flipped[40] as number) ^ 1;
    expect(() => openDatum(flipped, WINDOWS.stretched)).toThrow("the key does not fit");
    expect(() => openDatum(sealed.subarray(0, 28), WINDOWS.stretched)).toThrow("too short");
  });

  test("nonces count on and are never given twice", () => {
    const nonces = new NonceCounter(TIME);
    const given = Array.from({ length: 5 }, () => nonces.take().toString("hex"));
    expect(new Set(given).size).toBe(5);
    expect(nonces.next).toBe(7);
  });
});

describe("datums", () => {
  test("one that reaches past the end is refused, zeros end the list", () => {
    const datum = encodeKey(KeyMethod.RecoveryKey, RECOVERY_KEY);
    expect(parseDatums(Buffer.concat([datum, Buffer.alloc(12)]))).toHaveLength(1);
    for (const size of [1, 7, datum.length + 1, 0xffff]) {
      const bad = Buffer.from(datum);
      bad.writeUInt16LE(size, 0);
      expect(() => parseDatums(bad)).toThrow("reaches past its end");
    }
  });
});
