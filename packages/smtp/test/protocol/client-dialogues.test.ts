import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import { parseDialogue } from '../laws/dialogue.ts';
import { MemoryClient } from '../laws/memory-client.ts';
import { runDialogue, sentBy } from '../laws/run-dialogue.ts';

const folder = new URL('../dialogues/client/', import.meta.url);

describe.each(readdirSync(folder))('the dialogue %s', (file) => {
  const dialogue = parseDialogue(readFileSync(new URL(file, folder), 'utf8'));

  it(`${dialogue.title}, whole and in single octets`, async () => {
    await runDialogue(dialogue, { plays: 'S', peer: new MemoryClient() });
    await runDialogue(dialogue, { plays: 'S', peer: new MemoryClient(), cut: 'each' });
  });

  it(`${dialogue.title}, cut at every octet`, async () => {
    for (let cut = 1; cut < sentBy(dialogue, 'S'); cut += 1) {
      await runDialogue(dialogue, { plays: 'S', peer: new MemoryClient(), cut });
    }
  });
});
