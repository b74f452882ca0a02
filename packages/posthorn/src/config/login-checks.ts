import { formatPath, type Mistake } from './mistake.ts';
import { elementsOf, entriesOf, isRecord, type Plain } from './plain.ts';

type Members = { readonly [key: string]: Plain };

/** Any of them lets a user in, or lets mail that the user owns be asked for. */
const ways = ['password', 'scramKeys', 'certificates', 'ntHash', 'cramSecret', 'networks'];

/** What is wrong with ways to log in, though each value is well formed. */
export function loginMistakes(config: Members): Mistake[] {
  return [...userMistakes(config), ...mechanismMistakes(config), ...oauthMistakes(config)];
}

/** A token, or Dovecot, may let in who has no way of its own here. */
function userMistakes({ users, logins }: Members): Mistake[] {
  const isKnownElsewhere = isRecord(logins) && (logins.oauth !== undefined || logins.dovecot !== undefined);
  if (isKnownElsewhere) return [];
  return entriesOf(users).flatMap(([name, user]) => {
    const canLogIn =
      isRecord(user) && ways.some((way) => way in user && !(Array.isArray(user[way]) && user[way].length === 0));
    if (canLogIn || !isRecord(user)) return [];
    const path = formatPath(['users', name]);
    return [{ path, message: 'has no way to log in', remedy: 'Add password, from `posthorn user hash`.' }];
  });
}

function mechanismMistakes({ listeners, logins }: Members): Mistake[] {
  const hasOauth = isRecord(logins) && logins.oauth !== undefined;
  return elementsOf(listeners).flatMap((listener, index) => {
    const names = isRecord(listener) ? elementsOf(listener.mechanisms) : [];
    return names.flatMap((name, at) => {
      if (hasOauth || (name !== 'OAUTHBEARER' && name !== 'XOAUTH2')) return [];
      const path = formatPath(['listeners', index, 'mechanisms', at]);
      return [{ path, message: `is ${name}, and nothing tells which tokens are good`, remedy: 'Add logins.oauth.' }];
    });
  });
}

function oauthMistakes({ logins }: Members): Mistake[] {
  const oauth = isRecord(logins) ? logins.oauth : undefined;
  if (!isRecord(oauth)) return [];
  const secrets = ['clientSecret', 'clientSecretFile'].filter((name) => name in oauth);
  const path = formatPath(['logins', 'oauth']);
  const remedy = 'Write clientId, and either clientSecret or clientSecretFile.';
  if (secrets.length > 1) return [{ path, message: 'has two secrets', remedy }];
  if ((oauth.clientId === undefined) === (secrets.length === 0)) return [];
  return [{ path, message: 'has a clientId or its secret, and not the other', remedy }];
}
