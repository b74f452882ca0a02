/** The end of a client's connection; without a network it is `unknown`. */
export type MilterClient =
  | { readonly family: 'ipv4' | 'ipv6'; readonly address: string; readonly port: number }
  | { readonly family: 'unknown' };

/** What is sent to a filter. Texts must be without NUL. */
export type MilterCommand =
  | { readonly kind: 'negotiate'; readonly version: number; readonly actions: number; readonly steps: number }
  | { readonly kind: 'macros'; readonly of: string; readonly values: readonly (readonly [string, string])[] }
  | { readonly kind: 'connect'; readonly host: string; readonly client: MilterClient }
  | { readonly kind: 'hello'; readonly name: string }
  /** The path with its brackets, and the parameters as they were given. */
  | { readonly kind: 'mail' | 'recipient'; readonly words: readonly string[] }
  | { readonly kind: 'field'; readonly name: string; readonly value: Buffer }
  /** At most 65,535 octets. */
  | { readonly kind: 'body'; readonly bytes: Buffer }
  | { readonly kind: 'data' | 'header-end' | 'end' | 'abort' | 'quit' };

/** Octets of a body that go in one packet. */
export const bodyChunk = 65_535;

/** The letter of each kind of command. */
export const milterLetters = {
  abort: 'A',
  body: 'B',
  connect: 'C',
  macros: 'D',
  end: 'E',
  hello: 'H',
  field: 'L',
  mail: 'M',
  'header-end': 'N',
  negotiate: 'O',
  quit: 'Q',
  recipient: 'R',
  data: 'T',
} as const satisfies Readonly<Record<MilterCommand['kind'], string>>;

const families = { ipv4: '4', ipv6: '6' } as const;
const nul = Buffer.alloc(1);

/** Writes a command as a packet: length in four octets, letter, payload. */
export function formatMilterCommand(command: MilterCommand): Buffer {
  return packet(milterLetters[command.kind], payloadOf(command));
}

/** The beginning of a packet whose payload of so many octets follows by itself. */
export function formatBodyHead(octets: number): Buffer {
  const head = Buffer.allocUnsafe(5);
  head.writeUInt32BE(octets + 1, 0);
  head.write(milterLetters.body, 4, 'latin1');
  return head;
}

function packet(letter: string, pieces: readonly Buffer[]): Buffer {
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  const head = Buffer.allocUnsafe(5);
  head.writeUInt32BE(size + 1, 0);
  head.write(letter, 4, 'latin1');
  return Buffer.concat([head, ...pieces]);
}

function payloadOf(command: MilterCommand): readonly Buffer[] {
  switch (command.kind) {
    case 'negotiate':
      return [uint32(command.version), uint32(command.actions), uint32(command.steps)];
    case 'macros':
      return [
        Buffer.from(command.of, 'latin1'),
        ...command.values.flatMap(([name, value]) => [text(name), text(value)]),
      ];
    case 'connect':
      return [text(command.host), ...clientOf(command.client)];
    case 'hello':
      return [text(command.name)];
    case 'mail':
    case 'recipient':
      return command.words.map(text);
    case 'field':
      return [text(command.name), withoutNul(command.value), nul];
    case 'body':
      return [command.bytes];
    default:
      return [];
  }
}

function clientOf(client: MilterClient): readonly Buffer[] {
  if (client.family === 'unknown') return [Buffer.from('U')];
  const port = Buffer.alloc(2);
  port.writeUInt16BE(client.port);
  return [Buffer.from(families[client.family]), port, text(client.address)];
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([withoutNul(Buffer.from(value)), nul]);
}

/** A NUL would end the text, and what follows would be read as something else. */
function withoutNul(bytes: Buffer): Buffer {
  return bytes.includes(0) ? (bytes.filter((octet) => octet !== 0) as Buffer) : bytes;
}
