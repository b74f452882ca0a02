import { formatPath, type Mistake } from './mistake.ts';
import { elementsOf, entriesOf, isRecord, type Plain } from './plain.ts';

type Members = { readonly [key: string]: Plain };

/** Wishes that nobody can utter, since the extension for them is not offered. */
export function extensionMistakes(config: Members): Mistake[] {
  const extensions = isRecord(config.extensions) ? config.extensions : {};
  const has = (name: string) => name in extensions && extensions[name] !== false;
  return [
    ...(has('ownership')
      ? []
      : consentMistakes(config, ['ownerSince', 'ownedSince', 'ownersFile'], 'ownership to true')),
    ...(has('noSoliciting')
      ? []
      : consentMistakes(config, ['noSoliciting'], 'noSoliciting to a list, even an empty one')),
    ...(has('priority') ? [] : priorityMistakes(config)),
    ...(has('futureRelease') ? releaseMistakes(config) : []),
  ];
}

/** Of domains and of their mailboxes. */
function consentMistakes(config: Members, fields: readonly string[], setting: string): Mistake[] {
  return entriesOf(config.domains).flatMap(([name, domain]) => {
    const mailboxes = isRecord(domain) ? entriesOf(domain.mailboxSettings) : [];
    const places: (readonly [readonly string[], Plain])[] = [
      [['domains', name], domain],
      ...mailboxes.map(([mailbox, settings]) => [['domains', name, 'mailboxSettings', mailbox], settings] as const),
    ];
    return places.flatMap(([way, value]) =>
      fields.filter((each) => isRecord(value) && each in value).map((each) => noEffect([...way, each], setting)),
    );
  });
}

function priorityMistakes(config: Members): Mistake[] {
  return entriesOf(config.users)
    .filter(([, user]) => isRecord(user) && 'priority' in user && user.priority !== 0)
    .map(([name]) => noEffect(['users', name, 'priority'], 'priority to {}'));
}

function releaseMistakes(config: Members): Mistake[] {
  const roles = elementsOf(config.listeners).map((listener) => (isRecord(listener) ? listener.role : undefined));
  if (roles.includes('submission') || roles.includes('submissions')) return [];
  const message = 'has no effect: only a submission listener offers it';
  const remedy = 'Add a listener with the role "submission" or "submissions", or take it away.';
  return [{ path: 'extensions.futureRelease', message, remedy }];
}

function noEffect(way: readonly string[], setting: string): Mistake {
  const message = 'has no effect: nobody is offered the extension for it';
  return { path: formatPath(way), message, remedy: `Set extensions.${setting}, or take it away.` };
}
