/**
 * A golden dialogue, step by step. In the file: `C: ` is a line of the end that opened the connection, `S: ` one of the end
 * that accepted it, without CRLF; `C~ ` or `S~ ` octets with `\r \n \0 \\ \xNN` escapes and no CRLF; `S= ` a line whose
 * text counts too; `X: ` an event for the harness; `#` a remark, the first of them the title.
 */
export interface Dialogue {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Lines that one end says without waiting, or one event. */
type Step = { readonly by: 'C' | 'S'; readonly lines: readonly Line[] } | { readonly by: 'X'; readonly event: string };

/** What is said; `exact` when the text after the codes counts. */
export interface Line {
  readonly octets: Buffer;
  readonly exact: boolean;
}

const escapes: Readonly<Record<string, string>> = { r: '\r', n: '\n', 0: '\0', '\\': '\\' };

function unescapeOctets(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (escapes[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function readLine(mark: string, text: string): Line {
  const octets = mark === '~' ? Buffer.from(unescapeOctets(text), 'latin1') : Buffer.from(`${text}\r\n`, 'utf8');
  return { octets, exact: mark === '=' };
}

/** Reads a dialogue file; throws for a line that is none of its kinds. */
export function parseDialogue(text: string): Dialogue {
  const steps: { by: 'C' | 'S' | 'X'; lines: Line[]; event: string }[] = [];
  let title = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const match = /^([CSX])([:~=])(?: (.*))?$/.exec(line);
    if (line.startsWith('#')) title ||= line.slice(1).trim();
    else if (match === null) throw new Error(`No line of a dialogue: ${line}`);
    else {
      const [, by, mark, said = ''] = match as unknown as [string, 'C' | 'S' | 'X', string, string?];
      const last = steps.at(-1);
      if (by === 'X') steps.push({ by, lines: [], event: said });
      else if (last?.by === by) last.lines.push(readLine(mark, said));
      else steps.push({ by, lines: [readLine(mark, said)], event: '' });
    }
  }
  return { title, steps };
}
