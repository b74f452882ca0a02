/**
 * The rows of the tables in the section `The protocol, and how to see it` of the README: what they name, where that is laid
 * down, and either a dialogue with the last answer to it, or the files that show one.
 */
export function readProtocolRows(readme) {
  const section = /^## The protocol, and how to see it\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(readme)?.[1] ?? '';
  let table = '';
  return section.split('\n').flatMap((line) => {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    if (!line.startsWith('|') || /^-+$/.test(cells[1] ?? '')) return [];
    if (cells[2] === 'RFC') table = cells[1];
    return cells[2] === 'RFC' ? [] : [readRow(table, cells)];
  });
}

function readRow(table, [, names = '', rfc = '', type = '', answer = '']) {
  const spans = codeSpans(type);
  return {
    table,
    names: table === 'Reply' ? [names.slice(0, 3)] : codeSpans(names).map((name) => name.split(/[ =]/, 1)[0]),
    rfc,
    place: /^\w*/.exec(type)[0],
    lines: spans.length === 0 ? undefined : spans[0].split(' / '),
    answer: codeSpans(answer)[0],
    files: [...`${type} ${answer}`.matchAll(/\]\(([^)]+)\)/g)].map(([, file]) => file),
  };
}

function codeSpans(cell) {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, span]) => span.replaceAll('\\|', '|'));
}
