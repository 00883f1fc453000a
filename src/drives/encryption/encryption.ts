/**
 * Encryption of drives: one interface, one file per implementation. The order of events is the caller's duty: a new key
 * is journaled durably before `encrypt` is called with it, and `encrypt` can be repeated with the same key after a crash.
 */
import type { Random } from "../../platform/random.ts";
import type { Drive } from "../drive.ts";

export interface EncryptionStatus {
  state: "off" | "encrypting" | "on" | "locked" | "unknown";
  /** While encrypting. */
  percent?: number;
  /** `XTS-AES-128` and the like; "none" for the mock, which encrypts nothing. */
  method?: string;
}

export interface EncryptionCapabilities {
  canEncrypt: boolean;
  canUnlock: boolean;
  /** What is not there, each in words that fit after "because". Empty when everything works. */
  missing: readonly string[];
}

export interface EncryptOptions {
  signal?: AbortSignal;
  onPercent?: (percent: number) => void;
}

export interface DriveEncryption {
  readonly kind: "windows" | "linux" | "mock";
  /** What this implementation can do on this machine. */
  capabilities(): Promise<EncryptionCapabilities>;
  /** A fresh, valid 48-digit key. */
  newKey(random: Random): string;
  status(drive: Drive): Promise<EncryptionStatus>;
  /**
   * Turns encryption on; resolves when the drive can be used. The same key again finishes or confirms an earlier call;
   * on a drive that has data under another key: ENCRYPTION_FAILED.
   */
  encrypt(drive: Drive, key: string, options?: EncryptOptions): Promise<void>;
  /** Takes over a drive that somebody encrypted before: checks the key (BITLOCKER_KEY_WRONG) and unlocks. */
  adopt(drive: Drive, key: string): Promise<void>;
  /** Opens a drive with its key; one that is open stays so. */
  unlock(drive: Drive, key: string): Promise<void>;
  lock(drive: Drive): Promise<void>;
}
