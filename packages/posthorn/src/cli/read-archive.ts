import { gunzipSync, inflateRawSync } from 'node:zlib';

/** Octets that a file may unpack to. */
const largest = 64 * 1024 * 1024;

/** The text of a file as it is, in gzip, or of the first file of a ZIP archive. Throws when it is damaged or too large. */
export function readArchive(octets: Buffer): string {
  if (octets[0] === 0x1f && octets[1] === 0x8b) return gunzipSync(octets, { maxOutputLength: largest }).toString();
  if (octets.subarray(0, 4).equals(Buffer.from('PK\x03\x04'))) return unzipFirst(octets).toString();
  return octets.toString();
}

/** Lengths count as the central directory has them: those in front of a file may be left out (APPNOTE 4.3.12). */
function unzipFirst(octets: Buffer): Buffer {
  const directory = octets.indexOf(Buffer.from('PK\x01\x02'), Math.max(0, directoryStart(octets)));
  if (directory < 0) throw new Error('the archive has no directory');
  const method = octets.readUInt16LE(directory + 10);
  const packed = octets.readUInt32LE(directory + 20);
  const file = octets.readUInt32LE(directory + 42);
  const start = file + 30 + octets.readUInt16LE(file + 26) + octets.readUInt16LE(file + 28);
  const data = octets.subarray(start, start + packed);
  if (method === 0) return data;
  if (method !== 8) throw new Error('the archive is packed in an unknown way');
  return inflateRawSync(data, { maxOutputLength: largest });
}

/** Where the end of an archive says that its directory begins. */
function directoryStart(octets: Buffer): number {
  const end = octets.lastIndexOf(Buffer.from('PK\x05\x06'));
  if (end < 0 || end + 20 > octets.length) throw new Error('the archive has no end');
  return octets.readUInt32LE(end + 16);
}
