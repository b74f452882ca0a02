import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { Failure } from '@posthorn/smtp/failure/failure';

/** A password as it is kept: never itself, only what scrypt makes of it (RFC 7914 §6). */
export interface PasswordHash {
  /** CPU and memory cost, a power of two. */
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** 32 MiB and about 0.1 s each: dear to guess, cheap enough for a login. */
const usual = { cost: 2 ** 15, blockSize: 8, parallelization: 1 };
const mostMemory = 256 * 2 ** 20;
const mostWaiting = 1000;
/** Two threads of Node's pool stay free for files and names. */
const mostRunning = 2;

/** What a password is compared with when there is no such user, so that this takes as long. */
const nobody: PasswordHash = { ...usual, salt: Buffer.alloc(16), hash: Buffer.alloc(32) };

/** Reads `scrypt:N:r:p:salt:hash`, salt and hash in base64; undefined when it is faulty or takes over 256 MiB. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const match = /^scrypt:(\d{1,8}):(\d{1,3}):(\d{1,3}):([A-Za-z0-9+/]{10,90}={0,2}):([A-Za-z0-9+/]{20,90}={0,2})$/.exec(
    text,
  );
  if (match === null) return undefined;
  const [cost, blockSize, parallelization] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const isPower = cost > 1 && Number.isInteger(Math.log2(cost));
  const fits = blockSize > 0 && parallelization > 0 && parallelization <= 16 && 128 * cost * blockSize <= mostMemory;
  if (!isPower || !fits) return undefined;
  const [salt, hash] = [match[4] ?? '', match[5] ?? ''].map((part) => Buffer.from(part, 'base64')) as [Buffer, Buffer];
  return { cost, blockSize, parallelization, salt, hash };
}

/** Makes the text that stands for a password in the configuration: `scrypt:N:r:p:salt:hash` (RFC 7914 §6). */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, { ...usual, salt, hash: Buffer.alloc(32) });
  const parts = [usual.cost, usual.blockSize, usual.parallelization, salt.toString('base64'), hash.toString('base64')];
  return `scrypt:${parts.join(':')}`;
}

/**
 * Whether the password is the one that was hashed; without a hash false, after as long a time. Two run at once, 1,000
 * may wait: rejects with Failure `limit` beyond. Throws Failure `invalid` for a faulty hash (RFC 4954 §9).
 */
export async function verifyPassword(password: string, hashed: string | undefined): Promise<boolean> {
  const expected = hashed === undefined ? nobody : parsePasswordHash(hashed);
  if (expected === undefined) throw new Failure('invalid', 'The password is not in the form scrypt:N:r:p:salt:hash');
  const found = await derive(password, expected);
  return timingSafeEqual(found, expected.hash) && hashed !== undefined;
}

let running = 0;
const waiting: (() => void)[] = [];

async function derive(password: string, { salt, hash, ...cost }: PasswordHash): Promise<Buffer> {
  if (running < mostRunning) running += 1;
  else await turn();
  try {
    return await scryptOnce(password, salt, { length: hash.length, options: { ...cost, maxmem: 2 * mostMemory } });
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}

function turn(): Promise<void> {
  if (waiting.length >= mostWaiting) throw new Failure('limit', 'Too many passwords wait to be verified');
  return new Promise((resolve) => waiting.push(resolve));
}

function scryptOnce(
  password: string,
  salt: Buffer,
  { length, options }: { readonly length: number; readonly options: ScryptOptions },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
