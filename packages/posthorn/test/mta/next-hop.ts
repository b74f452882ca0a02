import {
  type MailHostOptions,
  mailHost,
  type ScriptedHost,
  startHost,
  type Taken,
} from '../../../smtp/test/client/scripted-host.ts';

/** A host that the agent relays to, with all that it took. */
export interface TestNextHop extends ScriptedHost {
  readonly taken: readonly Taken[];
  /** The target of a route to it. */
  readonly to: string;
  /** Messages that it took, by the path of their RCPT. */
  readonly takenFor: (path: string) => readonly Taken[];
}

/** Starts a host that takes mail, save where its options say otherwise. */
export async function startNextHop(
  options: MailHostOptions = {},
  place: { readonly host?: string; readonly port?: number } = {},
): Promise<TestNextHop> {
  const { script, taken } = mailHost(options);
  const running = await startHost(script, place);
  return Object.assign(running, {
    taken,
    to: `smtp://${running.host}:${running.port}?tls=none`,
    takenFor: (path: string) => taken.filter(({ rcpt }) => rcpt.some((line) => line.includes(path))),
  });
}

/** Starts a host that takes connections and never says a word. */
export async function startSilentHop(): Promise<ScriptedHost & { readonly to: string }> {
  const running = await startHost((session) => session.gone());
  return Object.assign(running, { to: `smtp://${running.host}:${running.port}?tls=none` });
}

/** An agent and the host that it relays to, which end together. */
export function pairOf<Test extends AsyncDisposable>(test: Test, hop: TestNextHop) {
  return {
    test,
    hop,
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await hop[Symbol.asyncDispose]();
    },
  };
}
