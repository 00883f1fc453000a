/** What is to be said about a real volume before it is used; each a sentence that names the place. */

export function serialUnknown(place: string): string {
  return `the serial number of the drive at "${place}" cannot be read; give it with --drive-id`;
}

export function serialOfEnclosure(place: string, serial: string): string {
  return `the serial number ${serial} of the drive at "${place}" may be that of its USB enclosure; compare it with the label of the disk`;
}

export function isAboutSerial(warning: string): boolean {
  return warning.startsWith("the serial number ");
}

export function notNtfs(place: string, fileSystem: string): string {
  return `the file system of the drive at "${place}" is ${fileSystem}; the service takes NTFS only`;
}
