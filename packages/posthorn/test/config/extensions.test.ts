import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCertificate } from '../../../smtp/test/laws/test-certificate.ts';
import { checkConfig } from '../../src/config/check-config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { formatMistake } from '../../src/config/mistake.ts';
import { servedExtensions } from '../../src/mta/served-extensions.ts';

const base = {
  hostname: 'mx.example.org',
  dataDir: '/data',
  listeners: [{ role: 'mx' }, { role: 'submission' }],
  tls: { cert: 'cert.pem', key: 'key.pem' },
};

const domains = (more: object, settings: object = {}) => ({
  'example.org': { deliver: 'discard:', mailboxes: ['ann'], mailboxSettings: { ann: settings }, ...more },
});

function mistakesOf(more: object): string[] {
  const checked = checkConfig({ ...base, ...more });
  return 'mistakes' in checked ? checked.mistakes.map(formatMistake) : [];
}

function servedOf(extensions: object) {
  const checked = checkConfig({ ...base, extensions });
  if (!('config' in checked)) throw new Error(checked.mistakes.map(formatMistake).join('\n'));
  return servedExtensions(checked.config);
}

describe('extensions in the configuration', () => {
  it('are off unless they are wanted, but for what only keeps mail secret', () => {
    const served = servedOf({});
    expect(served).toMatchObject({ rrvs: false, requireTls: true });
    for (const name of ['deliverBy', 'futureRelease', 'priority', 'noSoliciting'])
      expect(served).not.toHaveProperty(name);
  });

  it('are served as they are wanted', () => {
    const served = servedOf({
      deliverBy: { minimum: '90s' },
      futureRelease: { longest: '7d' },
      priority: { policy: 'STANAG4406' },
      noSoliciting: ['net.example:ADV'],
      ownership: true,
      requireTls: false,
    });
    expect(served).toMatchObject({
      deliverBy: { minimum: 90 },
      futureRelease: { longest: 604_800 },
      priority: { policy: 'STANAG4406' },
      noSoliciting: { refused: ['net.example:ADV'] },
      rrvs: true,
      requireTls: false,
    });
    expect(servedOf({ deliverBy: {}, priority: {}, noSoliciting: [] })).toMatchObject({
      deliverBy: {},
      priority: {},
      noSoliciting: { refused: [] },
    });
  });

  it.each([
    [{ extensions: { deliverBy: { minimum: 'soon' } } }, 'extensions.deliverBy.minimum'],
    [{ extensions: { futureRelease: { perUser: 0 } } }, 'extensions.futureRelease.perUser'],
    [{ extensions: { priority: { policy: 'two words' } } }, 'extensions.priority.policy'],
    [{ extensions: { priority: { largest: { '10': '1MB' } } } }, 'extensions.priority.largest["10"]'],
    [{ extensions: { noSoliciting: ['!'] } }, 'extensions.noSoliciting[0]'],
    [
      { extensions: { ownership: true }, domains: domains({ ownedSince: '2026-02-30' }) },
      'domains["example.org"].ownedSince',
    ],
    [
      { extensions: { ownership: true }, domains: domains({}, { ownerSince: 'yesterday' }) },
      'domains["example.org"].mailboxSettings.ann.ownerSince',
    ],
    [{ domains: domains({ ownedSince: '2026-02-03' }) }, 'domains["example.org"].ownedSince has no effect'],
    [
      { domains: domains({}, { noSoliciting: ['org.example:ADV'] }) },
      'domains["example.org"].mailboxSettings.ann.noSoliciting has no effect',
    ],
    [{ listeners: [{ role: 'mx' }], extensions: { futureRelease: {} } }, 'extensions.futureRelease has no effect'],
  ])('names the mistake in %j and what to do about it', (more, place) => {
    const mistakes = mistakesOf(more);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(place);
    expect(mistakes[0]).toMatch(/\. (?:Write|Set|Add) /);
  });

  it('reads authorities from a file, and says what is wrong with it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'authorities-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const load = async (name: string) => {
      const { tls: _, ...rest } = { ...base, listeners: [{ role: 'mx' }], authorities: name };
      writeFileSync(join(folder, 'posthorn.json'), JSON.stringify(rest));
      const loaded = await loadConfig(join(folder, 'posthorn.json'));
      return 'mistakes' in loaded ? loaded.mistakes.map(({ path, message }) => `${path} ${message}`) : [];
    };
    writeFileSync(join(folder, 'good.pem'), testCertificate.cert);
    writeFileSync(join(folder, 'bad.pem'), testCertificate.key);
    expect(await load('good.pem')).toEqual([]);
    expect(await load('bad.pem')).toEqual(['authorities cannot be used: there is no certificate in it']);
    expect(await load('missing.pem')).toEqual([expect.stringContaining('authorities cannot be read')]);
  });
});
