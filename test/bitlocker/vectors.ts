/** Inputs of the published test vectors: keys that anybody may know. */

const counting = (from: number, count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, i) => from + i));

export const RECOVERY_KEY = counting(0x00, 16);
export const PASSWORD = "002816-008470-014124-019778-025432-031086-036740-042394";
export const SALT = counting(0x10, 16);
export const MASTER_KEY = counting(0x20, 32);
export const DATA_KEY_128 = counting(0x40, 32);
export const DATA_KEY_256 = counting(0x40, 64);
export const STRETCHED = hex("1576964ace7f6772b54e3491772520189e34762a79cb45243c5c68cb5c1fa0e2");
/** 2024-01-01T00:00:00Z */
export const TIME = 133_485_408_000_000_000n;
export const PROTECTOR_GUID = counting(0x80, 16);
export const VOLUME_GUID = counting(0x90, 16);

/** From a volume that Windows made. */
export const WINDOWS = {
  password: "235818-357951-253979-013365-241120-245575-342914-591910",
  recoveryKey: hex("be531d7f315abf04a0553557c67932d2"),
  salt: hex("2ba080989af9b50c203aaebd0b40d498"),
  stretched: hex("1a39f926dab83e947fa85125b91e556e9ecc2bc5968924e03de234878d1fd4bd"),
  nonce: hex("c049ba6f3632d50106000000"),
  tag: hex("0cf85869dd1a2a024c48d0f6aa00b997"),
  sealed: hex("005e2014c039b7de88e6906efdbe83055dcb5c097dbe3fe86860ef7bae367a13178587cd8cd11af5713d0bb7"),
  plain: hex("2c0000000100000003200000e5862465920b1190605ae29547623fb9c0dbafab073c85634bfb0f8a4b8cf46b"),
};

export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}
