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
  /** The volume gets a new, empty file system on the way; only for implementations whose `formats` says yes. */
  format?: { label: string };
  /** What the plan puts on the drive: whoever needs more space than that elsewhere checks it before it begins. */
  plannedBytes?: number;
}

/** What a closed volume holds, seen without mounting it. */
export interface ClosedVolume {
  freeBytes: number;
  clusterBytes: number;
  /** Names in its root. */
  rootNames: readonly string[];
}

export interface CloseReport {
  /** Independent programs that looked at the result. Empty when nothing had to be written. */
  checks: readonly VolumeCheck[];
  /** Packages with further programs that could have. */
  missing: readonly string[];
  /** A file with the drive's data in clear that could not be removed. */
  leftBehind?: string;
}

export interface VolumeCheck {
  /** Name and version. */
  tool: string;
  /** What it did, in words that follow its name: `opened it with the key`. */
  did: string;
  ok: boolean;
  /** When not ok: why. */
  detail?: string;
  /** It understood the volume and did not take the key: the volume must not be shipped. */
  refusesKey?: true;
}

export interface DriveEncryption {
  readonly kind: "windows" | "linux" | "mock";
  /** What this implementation can do on this machine, with this drive where that makes a difference. */
  capabilities(drive?: Drive): Promise<EncryptionCapabilities>;
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

  // For volumes that are nowhere mounted, such as images. Where these are absent a drive is reachable at its root.

  /** Whether `encrypt` makes the file system too. */
  formats?(drive: Drive): boolean;
  /**
   * For planning; changes nothing, and refuses what `encrypt` or `adopt` would refuse. Without a key: how the volume
   * that `encrypt` makes will be. Undefined for a drive that is mounted.
   */
  inspect?(drive: Drive, wish: { key: string } | { format: boolean }): Promise<ClosedVolume | undefined>;
  /** Mounts an encrypted volume for a session's work. Repeatable, after a crash too. */
  open?(drive: Drive, key: string, options?: EncryptOptions): Promise<{ root: string }>;
  /** Unmounts and makes the volume what is shipped. Repeatable; resolves at once for a volume that is closed. */
  close?(drive: Drive, key: string, options?: EncryptOptions): Promise<CloseReport>;
  /** Unmounts only, because the work goes on another time. */
  release?(drive: Drive): Promise<void>;
}
