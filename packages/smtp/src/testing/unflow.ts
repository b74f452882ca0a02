interface FlowedLine {
  readonly depth: number;
  readonly text: string;
}

/** Joins the lines of a text with `format=flowed` to paragraphs; `delSp`: without the blank at their ends (RFC 3676 §4.1). */
export function unflow(text: string, delSp: boolean): string {
  const paragraphs: string[] = [];
  let open: FlowedLine | undefined;
  for (const line of text.split('\n').map(readLine)) {
    const isSignature = line.text === '-- ';
    if (open !== undefined && (open.depth !== line.depth || isSignature)) {
      paragraphs.push(write(open));
      open = undefined;
    }
    const whole: string = (open?.text ?? '') + line.text;
    const flows = whole.endsWith(' ') && !isSignature;
    if (flows) open = { depth: line.depth, text: delSp ? whole.slice(0, -1) : whole };
    else {
      paragraphs.push(write({ depth: line.depth, text: whole }));
      open = undefined;
    }
  }
  if (open !== undefined) paragraphs.push(write(open));
  return paragraphs.join('\n');
}

function readLine(line: string): FlowedLine {
  const depth = /^>*/.exec(line)?.[0].length ?? 0;
  const text = line.slice(depth);
  return { depth, text: text.startsWith(' ') ? text.slice(1) : text };
}

function write({ depth, text }: FlowedLine): string {
  return depth === 0 ? text : `${'>'.repeat(depth)} ${text}`;
}
