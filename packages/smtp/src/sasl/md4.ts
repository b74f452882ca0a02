/**
 * The hash of RFC 1320. It is broken, and here for NTLM alone, whose password hashes are made by it; the platform's
 * cryptography no longer has it (RFC 1320 §3).
 */
export function md4(message: Buffer): Buffer {
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  const padded = pad(message);
  for (let at = 0; at < padded.length; at += 64) compress(state, padded.subarray(at, at + 64));
  const result = Buffer.alloc(16);
  for (const [index, word] of state.entries()) result.writeInt32LE(word, 4 * index);
  return result;
}

/** One bit, zeros, and the length in bits, to whole blocks (RFC 1320 §3.1). */
function pad(message: Buffer): Buffer {
  const padded = Buffer.alloc(Math.ceil((message.length + 9) / 64) * 64);
  message.copy(padded);
  padded[message.length] = 0x80;
  padded.writeBigUInt64LE(8n * BigInt(message.length), padded.length - 8);
  return padded;
}

interface Round {
  readonly mix: (x: number, y: number, z: number) => number;
  readonly constant: number;
  /** Which word of the block each of the sixteen steps takes, and by how much the four kinds of them rotate. */
  readonly order: readonly number[];
  readonly shifts: readonly number[];
}

const inOrder = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

const rounds: readonly Round[] = [
  { mix: (x, y, z) => (x & y) | (~x & z), constant: 0, order: inOrder, shifts: [3, 7, 11, 19] },
  {
    mix: (x, y, z) => (x & y) | (x & z) | (y & z),
    constant: 0x5a827999,
    order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
    shifts: [3, 5, 9, 13],
  },
  {
    mix: (x, y, z) => x ^ y ^ z,
    constant: 0x6ed9eba1,
    order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    shifts: [3, 9, 11, 15],
  },
];

/** Works one block of 64 octets in (RFC 1320 §3.4). */
function compress(state: Int32Array, block: Buffer): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (const { mix, constant, order, shifts } of rounds) {
    for (const [step, word] of order.entries()) {
      const sum = (a + mix(b, c, d) + block.readInt32LE(4 * word) + constant) | 0;
      const shift = shifts[step % 4] ?? 0;
      [a, b, c, d] = [d, (sum << shift) | (sum >>> (32 - shift)), b, c];
    }
  }
  for (const [index, word] of [a, b, c, d].entries()) state[index] = ((state[index] ?? 0) + word) | 0;
}
