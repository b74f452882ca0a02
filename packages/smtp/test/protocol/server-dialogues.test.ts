import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import { type Dialogue, parseDialogue } from '../laws/dialogue.ts';
import { MemoryServer } from '../laws/memory-server.ts';
import { runDialogue, sentBy } from '../laws/run-dialogue.ts';
import { SocketClient } from '../laws/socket-client.ts';
import { openTestHost } from '../laws/test-host.ts';
import { type RuleChange, testRules } from '../laws/test-rules.ts';

const folder = new URL('../dialogues/server/', import.meta.url);

/** The first event of a file may change the rules of the server. */
function load(file: string): { dialogue: Dialogue; change: RuleChange } {
  const dialogue = parseDialogue(readFileSync(new URL(file, folder), 'utf8'));
  const [first, ...steps] = dialogue.steps;
  if (first?.by !== 'X' || !first.event.startsWith('rules ')) return { dialogue, change: {} };
  return { dialogue: { ...dialogue, steps }, change: JSON.parse(first.event.slice(6)) as RuleChange };
}

describe.each(readdirSync(folder))('the dialogue %s', (file) => {
  const { dialogue, change } = load(file);

  it(`${dialogue.title}, whole and in single octets`, async () => {
    for (const cut of [undefined, 'each'] as const) {
      const peer = new MemoryServer(testRules(change));
      await runDialogue(dialogue, { plays: 'C', peer, ...(cut && { cut }) });
    }
  });

  it(`${dialogue.title}, cut at every octet`, async () => {
    for (let cut = 1; cut < Math.min(sentBy(dialogue, 'C'), 2000); cut += 1) {
      await runDialogue(dialogue, { plays: 'C', peer: new MemoryServer(testRules(change)), cut });
    }
  });

  it(`${dialogue.title}, over a socket`, async () => {
    const { port } = await openTestHost({ rules: change });
    const peer = SocketClient.connect({ port });
    await runDialogue(dialogue, { plays: 'C', peer });
    peer.destroy();
  });
});
